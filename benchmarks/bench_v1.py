"""How fast V1 energy is computed: nrsim's bank beside scikit-image, SciPy, OpenCV, PyTorch, kymatio and pyramids.

python benchmarks/bench_v1.py --out benchmarks/results/v1.md

One process, the same pictures, the same bank and pooling (v1_reference.py). Contestants take turns, round after round,
each round with new pictures, so that whatever else the machine does falls on all of them and no cache helps.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import v1_adapter
import v1_report
from face_sets import forget_peak, resident
from scipy import fft
from threadpoolctl import ThreadpoolController
from v1_bound import Bound
from v1_contestant import Contestant
from v1_peers import PEERS, peers
from v1_reference import BANKS, Task, answer, error, gratings, images

TURN, MOST = 0.1, 64  # a turn takes about so many seconds, and at most so many pictures
PAUSE = 0.01  # s before a turn: threads of the one before stop spinning
_STAT = Path("/proc/stat")
RIPPLE = 0.1  # greatest share of the energy of a grating that may depend on its phase


def busy() -> float:
    """Return the CPU seconds that the whole machine has spent working, since it started; NaN without /proc."""
    if not _STAT.is_file():
        return float("nan")
    user, nice, system, _, _, interrupts, soft, *_ = (
        int(ticks) for ticks in _STAT.read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def elsewhere(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what ``work`` returns, and how many of the machine's cores other processes used meanwhile."""
    wall, own, all_ = time.perf_counter(), time.process_time(), busy()
    found = work()
    return found, max(busy() - all_ - time.process_time() + own, 0) / (time.perf_counter() - wall)


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """Give every library so many threads, but those one that contestants use by threads of their own."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    with ThreadpoolController().limit(limits=threads), fft.set_workers(1):
        yield


def entered(task: Task, names: list[str]) -> tuple[list[Contestant], list[str]]:
    """Return who takes part, nrsim first, and remarks."""
    ours, remarks = v1_adapter.contestants(task)
    theirs, absent = peers(names, task)
    return ours + theirs, remarks + absent


def turn(contestant: Contestant, given: Any, task: Task) -> tuple[float, float, np.ndarray]:
    """Return wall and CPU seconds, and the answer."""
    with pinned(1 if contestant.alone else task.threads), contestant.within():
        time.sleep(PAUSE)
        wall, cpu = time.perf_counter(), time.process_time()
        found = contestant.run(given)
        return time.perf_counter() - wall, time.process_time() - cpu, found


def checked(contestant: Contestant, task: Task, pictures: np.ndarray, exact: np.ndarray) -> float:
    """Return a contestant's error; NaN for one with filters of its own, which must be tuned and blind to phase."""
    if not contestant.same:
        tuned(contestant, task)
        return float("nan")
    found = turn(contestant, contestant.prepare(pictures), task)[2]
    if contestant.exact is not None:
        exact = contestant.exact(pictures)
    if contestant.channels is not None:
        exact = exact[:, contestant.channels[0]][:, :, contestant.channels[1]]
    wrong = error(found, exact)
    if not wrong <= contestant.tolerance:
        raise SystemExit(f"{contestant.name} does not compute the same: its error is {wrong:.3g}; {task}")
    return wrong


def tuned(contestant: Contestant, task: Task) -> None:
    """Stop unless each of eight gratings has a channel of its own that prefers it, whatever its phase."""
    scale = 3  # at finer ones the pooling would hide what depends on phase
    seen = turn(contestant, contestant.prepare(gratings(task.size, 4 * 2.0**scale)), task)[2][:, scale]
    middle = slice(seen.shape[-1] // 4, -(seen.shape[-1] // 4))
    seen = seen.reshape(8, -1, *seen.shape[1:])[..., middle, middle]  # grating, phase, channel, y, x
    best = seen.mean(axis=(1, 3, 4)).argmax(axis=1).tolist()
    preferred = np.stack([seen[i, :, channel] for i, channel in enumerate(best)])
    ripple = float((np.ptp(preferred, axis=1) / preferred.mean(axis=1)).max())
    if len(set(best)) < 8 or not ripple < RIPPLE:
        raise SystemExit(f"{contestant.name}: gratings prefer channels {best}, phase matters by {ripple:.1%}; {task}")


def race(
    entries: list[Contestant], task: Task, rounds: int, bound: Bound
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Return ms/picture, ``(round, [wall, CPU])``, of each contestant, and how many pictures it had in a turn."""
    count: dict[str, int] = {}
    for contestant in entries:  # also compiles, and fills caches of plans
        block = contestant.block * (task.threads if contestant.alone else 1)
        given = contestant.prepare(images(2 * block, task.size, 1))
        taken = min(turn(contestant, given, task)[0] for _ in range(2 if contestant.share == 1 else 1)) / (2 * block)
        many = min(max(int(TURN / taken / block), 1) * block, MOST)
        count[contestant.name] = contestant.turn or (many if contestant.share == 1 else contestant.block)
    times: dict[str, list[tuple[float, float]]] = {contestant.name: [] for contestant in entries}
    for number in range(rounds):
        pictures = images(max(count.values()), task.size, 1000 + number)
        first = number % len(entries)
        for contestant in entries[first:] + entries[:first]:
            many = count[contestant.name]
            given = contestant.prepare(pictures[:many].copy())
            gc.collect()
            wall, cpu, _ = turn(contestant, given, task)
            scaled = 1e3 / many / contestant.share
            times[contestant.name].append((wall * scaled, cpu * scaled))
        with pinned(1):
            time.sleep(PAUSE)
            bound.measure()
    return {name: np.array(values) for name, values in times.items()}, count


def memory_of(contestant: Contestant, task: Task, n: int) -> dict[str, float]:
    """Return the memory in MiB that a contestant takes for ``n`` pictures, in this process."""
    turn(contestant, contestant.prepare(images(2 * contestant.block, task.size, 1)), task)
    given = contestant.prepare(images(n, task.size, 0))
    gc.collect()
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)  # what the first turn freed is not the contestant's any more
    forget_peak()
    before = resident()
    turn(contestant, given, task)
    peak = resident(peak=True)
    return {"before": before, "peak": peak, "more": peak - before}


def memory(tasks: list[Task], names: list[str], n: int, repeats: int = 3) -> list[str]:
    """Return a table of the memory of each contestant, each measured in processes of its own."""
    lines = ["| | pictures | before | peak | more |", "|---|---:|---:|---:|---:|"]
    for task in tasks:
        for contestant in entered(task, names)[0]:
            if contestant.turn == 1:
                continue
            many = n if contestant.share == 1 else contestant.block
            command = [sys.executable, __file__, "--memory-of", contestant.name, "--memory", str(many)]
            command += ["--sizes", str(task.size), "--banks", task.bank, "--threads", str(task.threads)]
            command += ["--peers", contestant.peer or "none"]
            runs = []
            for _ in range(repeats):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(f"the measurement of memory failed:\n{done.stderr[-2000:]}")
                runs.append(json.loads(done.stdout.splitlines()[-1]))
            before, peak, more = (np.median([run[key] for run in runs]) for key in ("before", "peak", "more"))
            cell = f"{task.bank}, {task.size} px, {task.threads}"
            lines.append(f"| {contestant.name}; {cell} | {many} | {before:.0f} | {peak:.0f} | {more:.0f} |")
        print(f"memory, {task.size} px done", file=sys.stderr, flush=True)
    return [*lines, ""]


def asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 224], help="width of the pictures, px")
    parser.add_argument("--banks", nargs="+", default=list(BANKS), choices=list(BANKS))
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=15, help="turns that each takes in each cell")
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=[*PEERS, "none"])
    parser.add_argument("--memory", type=int, default=32, help="pictures of the measurement of memory; 0: none")
    parser.add_argument("--quick", action="store_true", help="128 px, half octaves, 1 thread, 5 rounds, no memory")
    parser.add_argument("--out", type=Path, help="write the tables there as well")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.sizes, chosen.banks, chosen.threads, chosen.rounds, chosen.memory = [128], ["half"], [1], 5, 0
    if any(size < 128 or size % 16 for size in chosen.sizes):
        parser.error(f"--sizes: needed multiples of 16 from 128 px (filters of 64 px must fit), got {chosen.sizes}")
    if min(chosen.rounds, *chosen.threads) < 1 or chosen.memory < 0:
        parser.error("needed at least one round and one thread, and 0 or more pictures of --memory")
    chosen.peers = [name for name in chosen.peers if name != "none"]
    return chosen


def main() -> None:
    chosen = asked()
    # before any is loaded: OpenMP's waiting threads sleep, else one that is held up by other work on the machine makes
    # the others spin, and PyTorch on two threads takes ten times as long
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.simplefilter("ignore")  # the peers'
    tasks = [Task(b, s, t) for b in chosen.banks for s in chosen.sizes for t in chosen.threads]
    if chosen.memory_of:
        found = {contestant.name: contestant for contestant in entered(tasks[0], chosen.peers)[0]}
        print(json.dumps(memory_of(found[chosen.memory_of], tasks[0], chosen.memory)))
        return
    tables, remarks, bounds = [], [], []
    for task in tasks:
        entries, said = entered(task, chosen.peers)
        remarks += [remark for remark in said if remark not in remarks]
        pictures = images(4, task.size, 0)
        exact = answer(pictures, task.wavelengths)
        errors = {contestant.name: checked(contestant, task, pictures, exact) for contestant in entries}
        remarks += [
            f"{each.name}: an error of {errors[each.name]:.2%} where {each.promised:.1%} is promised; {task}"
            for each in entries
            if errors[each.name] > each.promised
        ]
        with pinned(1):
            bound = Bound(v1_adapter.plan(task), task.threads)
        (times, count), others = elsewhere(partial(race, entries, task, chosen.rounds, bound))
        tables += v1_report.table(task, entries, times, count, errors, others)
        bounds.append(v1_report.bound_row(task, bound, times))
        print(f"{task.bank}, {task.size} px, {task.threads} done", file=sys.stderr, flush=True)
    lines = v1_report.head(remarks) + tables + v1_report.bound_table(bounds)
    if chosen.memory:
        cells = [task for task in tasks if task.bank == chosen.banks[0] and task.threads == max(chosen.threads)]
        lines += ["## Memory", "", v1_report.ABOUT_MEMORY, *memory(cells, chosen.peers, chosen.memory)]
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
