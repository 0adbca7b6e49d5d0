"""Parts of a simulation computed by several processes, on this machine or on a Dask cluster. Never by threads.

Brian2 keeps its clocks and its network in module-level state: two threads that run it at once lose spikes silently.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nrsim._version import __version__
from nrsim.errors import need
from nrsim.neurons import parts
from nrsim.neurons.job import Job
from nrsim.neurons.population import Part

_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (ValueError, TypeError, MemoryError, OSError, RuntimeError)
}
_PATIENCE = 5  # s that a scheduler has to answer


class Worker:
    """One worker process.

    Parameters
    ----------
    job_file
        The pickled job.
    folder
        Where parts go.
    """

    def __init__(self, job_file: Path, folder: Path) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nrsim.neurons.worker", str(job_file), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,
        )

    def run(self, first: int, last: int) -> None:
        """Compute one part.

        Raises
        ------
        Exception
            What the worker raised; RuntimeError if it died.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{first} {last}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if not line:
            code = self.process.wait()
            self._said.seek(0)
            words = self._said.read().decode(errors="replace").strip()[-1000:]
            why = f"it was killed by signal {-code}" if code < 0 else f"it ended with code {code}"
            hint = " Was there enough memory? Use fewer workers or a smaller block." if code == -9 else ""
            raise RuntimeError(
                f"a worker process died in presentations {first} to {last}: {why}.{hint} {words}".strip()
            )
        answer = json.loads(line)
        if "error" in answer:
            if answer.get("errno"):
                raise OSError(answer["errno"], answer["error"])
            raise _KINDS.get(answer["kind"], RuntimeError)(answer["error"])

    def end(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError, AttributeError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._said):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]


def on_this_machine(
    job: Job, wanted: Sequence[tuple[int, int]], workers: int, folder: Path
) -> Iterator[tuple[int, int]]:
    """Compute the wanted parts into ``folder`` with so many processes; give (first, last) of each as it is there."""
    with tempfile.TemporaryDirectory(prefix="nrsim-job-") as place:
        job_file = Path(place) / "job.pickle"
        job_file.write_bytes(pickle.dumps(job))
        left: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        for one in wanted:
            left.put(one)
        done: queue.SimpleQueue[tuple[int, int] | Exception] = queue.SimpleQueue()
        crew = [Worker(job_file, folder) for _ in range(min(workers, len(wanted)))]

        def feed(worker: Worker) -> None:  # waits for the process; nothing is computed in this thread
            while True:
                try:
                    one = left.get_nowait()
                except queue.Empty:
                    return
                try:
                    worker.run(*one)
                except Exception as error:
                    done.put(error)
                    return
                done.put(one)

        threads = [threading.Thread(target=feed, args=(worker,), daemon=True) for worker in crew]
        try:
            for thread in threads:
                thread.start()
            for _ in wanted:
                result = done.get()
                if isinstance(result, Exception):
                    raise result
                yield result
        finally:
            for worker in crew:
                worker.end()
            for thread in threads:
                thread.join()


def on_dask(job: Job, wanted: Sequence[tuple[int, int]], address: str) -> Iterator[tuple[int, int, Part]]:
    """Compute the wanted parts on a Dask cluster; give (first, last, part) of each as it is there.

    Raises
    ------
    ImportError
        Without Dask's ``distributed``.
    ConnectionError
        If there is no scheduler at ``address``.
    ValueError
        If the cluster has no workers, or theirs is another version of nrsim.
    """
    client = connect(address)
    try:
        packed = client.scatter(pickle.dumps(job), broadcast=True)
        futures = {client.submit(_part, packed, *one, pure=False): one for one in wanted}
        from distributed import as_completed

        try:
            for future in as_completed(futures, loop=client.loop):
                yield *futures[future], future.result()
                future.release()
        except BaseException:
            client.cancel(list(futures), force=True)
            raise
    finally:
        client.close()


def connect(address: str) -> Any:
    """Return a client of a Dask scheduler whose workers have this version of nrsim; errors as :func:`on_dask`."""
    try:
        from distributed import Client
    except ImportError:
        todo = "pip install 'nrsim[dask]', or use workers= on this machine"
        raise need("Dask's distributed for scheduler=", "a machine without", todo, kind=ImportError) from None
    if not isinstance(address, str):
        raise need("scheduler: an address, such as 'tcp://host:8786'", repr(address), kind=TypeError)
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectionError(
            f"needed a Dask scheduler that answers within {_PATIENCE} s; got none at {address!r} "
            f"({type(error).__name__}). Is it running, and is the address right?"
        ) from None
    try:
        versions = client.run(_version)
    except Exception as error:
        client.close()
        raise need(f"nrsim {__version__} on the workers of {address!r}", f"{type(error).__name__}: {error}") from None
    if not versions:
        client.close()
        raise need(f"workers at the scheduler {address!r}", "none", "Start some: dask worker ADDRESS")
    if others := sorted(set(versions.values()) - {__version__}):
        client.close()
        raise need(
            f"nrsim {__version__} on the workers of {address!r}", ", ".join(others), "Install the same everywhere"
        )
    return client


def _version() -> str:
    return __version__


def _part(packed: bytes, first: int, last: int) -> Part:
    """Compute one part on a Dask worker: in a process of its own, since Dask's tasks run in threads."""
    with tempfile.TemporaryDirectory(prefix="nrsim-job-") as place:
        job_file = Path(place) / "job.pickle"
        job_file.write_bytes(packed)
        worker = Worker(job_file, Path(place))
        try:
            worker.run(first, last)
        finally:
            worker.end()
        return parts.load(Path(place) / f"part-{first}-{last}.npz")
