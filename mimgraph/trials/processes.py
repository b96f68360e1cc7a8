"""Start, end and talk to the worker processes of a search."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from queue import Queue
from threading import Thread
from typing import Any

from mimgraph.graph import Graph
from mimgraph.trials.job import Job

GRACE = 5.0  # seconds in which an interrupted objective may end by itself

Message = tuple["Worker", dict[str, Any] | None]  # None when the worker has ended


class Worker:
    """A process that runs trials; its messages arrive in a queue.

    `trial` is the number of the trial that it runs, `is_idle` says that it waits for a permit.
    """

    def __init__(self, place: int, workers: int, job: Job, graph: Graph) -> None:
        self.place = place
        self.trial: int | None = None
        self.is_idle = False
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mimgraph.trials.worker"],  # not a mimgraph.py beside it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**_threads(workers), **os.environ, "MIMGRAPH_WORKER": str(place)},
            start_new_session=True,  # Ctrl-C is for the command, which ends its workers
        )
        self.task = pickle.dumps(job) + pickle.dumps(graph)

    def talk(self, queue: Queue[Message]) -> None:
        """Tell the worker what to do, and put what it reports into a queue, from now on."""
        Thread(target=self._talk, args=(queue,), daemon=True).start()

    def permit(self, seed: int | None) -> None:
        """Let the worker run one trial."""
        self.is_idle = False
        self._write(f"{'' if seed is None else seed}\n".encode())

    def dismiss(self) -> None:
        """Let the worker end when it has nothing to do."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()

    def interrupt(self) -> None:
        """Ask the worker to break off its trial; one that has none ends at once."""
        if self.trial is not None and os.name == "posix":
            self.process.send_signal(signal.SIGINT)
        else:
            self.process.terminate()

    def end(self, seconds: float) -> None:
        """End the worker with all that it started, at the latest after some seconds."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if os.name == "posix":
                _signal_group(self.process, signal.SIGKILL)
            else:
                self.process.kill()
            self.process.wait()

    def cause(self) -> str:
        """Return what ended the worker."""
        status = self.process.wait()
        if status >= 0:
            return f"it ended with the status {status}"
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-status).name}"
        return f"it was ended by the signal {-status}"

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it has ended, as its last message will say
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def _talk(self, queue: Queue[Message]) -> None:
        assert self.process.stdout is not None
        self._write(self.task)
        for line in self.process.stdout:
            queue.put((self, json.loads(line)))
        queue.put((self, None))


def _threads(workers: int) -> dict[str, str]:
    """Return the variables that give each worker its share of the cores."""
    share = max(1, _cores() // workers)
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(share))


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, of a zombie
        os.killpg(process.pid, number)
