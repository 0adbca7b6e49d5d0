"""A worker process: ``python -m nrsim.neurons.worker JOB FOLDER`` reads ranges from its input and writes their parts.

A process of its own rather than one of :mod:`multiprocessing`: a user's script needs no guard, Brian2 runs in a main
thread, and the worker ends when its input does, which is when the process that started it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import sys
import threading
from pathlib import Path


def main(job_file: str, folder: str) -> None:
    """Work until the input ends."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        from nrsim.neurons import parts

        job = pickle.loads(Path(job_file).read_bytes())
    except Exception as error:
        print(
            json.dumps({"error": f"{type(error).__name__}: {error}", "kind": "RuntimeError"}), file=answers, flush=True
        )
        return
    wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(wanted,), daemon=True).start()
    while True:
        line = wanted.get()
        first, last = (int(word) for word in line.split())
        try:
            parts.save(job.run(first, last), Path(folder), first, last)
            answer: dict[str, object] = {"done": [first, last]}
        except Exception as error:
            answer = {"error": str(error), "kind": type(error).__name__, "errno": getattr(error, "errno", None)}
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(answer), file=answers, flush=True)


def _listen(wanted: queue.SimpleQueue[str]) -> None:
    """Pass on what is asked for; when nobody can ask any more, end at once, in the middle of a block too."""
    for line in sys.stdin:
        wanted.put(line)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
