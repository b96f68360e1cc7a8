"""Start, bound and end the process that runs a Python file of the user, and read what it reports."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from mimgraph.editor.python_files.findings import (
    CallHint,
    Findings,
    Lines,
    Mention,
    PythonFault,
)

SECONDS = 10.0
MEMORY = 4 << 30
GRACE = 3.0  # seconds to start, and to end by itself
MOST_OUTPUT = 20_000  # bytes of what the file prints
MOST_REPORTS = 10_000_000  # bytes of reports
MARK = "MIMGRAPH_RUN"  # the variable of the environment
ROUNDS = 20
SHOWN = 3  # different results of one call that a hint lists
_FRAME = re.compile(r'^\s*File "(.*)", line (\d+)', re.MULTILINE)


class CannotRun(Exception):
    """Raised if the process cannot be started, with the reason."""


class Run:
    """A process that runs a text as the Python file at a path, from now on.

    The code runs with the rights of the user: begin one only when the user asks. After `seconds` it is
    ended with all that it started.
    """

    def __init__(
        self,
        path: str,
        text: str,
        python: str = sys.executable,
        seconds: float = SECONDS,
        memory: int = MEMORY,
    ) -> None:
        self.path = path
        self.seconds = seconds
        self.request = {"path": path, "text": text, "seconds": seconds, "memory": memory}
        self.mark = secrets.token_hex(16)
        self.is_ended = False  # then its number may be another process's
        self.lock = Lock()
        self.process = _start(path, python, self.mark)
        atexit.register(self.end)

    async def findings(self) -> Findings:
        """Return what `wait` does, without keeping others waiting: nor the end of this process, as threads
        of asyncio do."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Findings] = loop.create_future()

        def take(result: Findings | Exception) -> None:
            if found.done():  # it was cancelled
                return
            if isinstance(result, Exception):
                found.set_exception(result)
            else:
                found.set_result(result)

        def work() -> None:
            result: Findings | Exception
            try:
                result = self.wait()
            except Exception as error:  # noqa: BLE001 - raised where it is awaited
                result = error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(take, result)

        Thread(target=work, daemon=True).start()
        return await found

    def wait(self) -> Findings:
        """Return what the file built and what went wrong, once it ends or is ended."""
        process = self.process
        reports, output = _Kept(process.stdout, MOST_REPORTS), _Kept(process.stderr, MOST_OUTPUT)
        assert process.stdin is not None
        try:
            with suppress(OSError):  # the process ended before it read all
                process.stdin.write(json.dumps(self.request).encode())
                process.stdin.close()
            process.wait(self.seconds + GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            status = process.poll()
            self.end()
        return _findings(self.path, reports.text(), output.text(), self.seconds, status)

    def end(self) -> None:
        """End the process with all that it started, also while another thread waits for it."""
        atexit.unregister(self.end)
        with self.lock:
            if not self.is_ended:
                _end(self.process, self.mark)
            self.is_ended = True


def _start(path: str, python: str, mark: str) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, in the folder of the file; processes that it starts have
    the mark in their environment."""
    folder = Path(path).parent
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "Agg", MARK: mark}
    try:
        return subprocess.Popen(
            [python, "-P", "-m", "mimgraph.editor.python_files.run"],  # not a mimgraph.py beside it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder if folder.is_dir() else None,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotRun(f"{python} cannot be started: {error.strerror or error}") from None


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    """End the process and all that it started, in its group or, on Linux, in others."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # the session has its number
    process.kill()
    process.wait()
    for _ in range(ROUNDS):  # a process may start another one meanwhile
        found = [*_marked(mark)]
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        if not found:
            return


def _marked(mark: str) -> Iterator[int]:
    """Yield the numbers of the processes that have the mark in their environment."""
    text = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended, or belongs to somebody else
            if text in (folder / "environ").read_bytes():
                yield int(folder.name)


class _Kept:
    """Reads a stream to its end in a thread, and keeps the beginning."""

    def __init__(self, stream: IO[bytes] | None, most: int) -> None:
        assert stream is not None
        self.stream = stream
        self.most = most
        self.kept = bytearray()
        self.thread = Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while piece := os.read(self.stream.fileno(), 65_536):
                self.kept += piece[: max(0, self.most - len(self.kept))]

    def text(self) -> str:
        """Return what was read; a process that left the group may keep the stream open."""
        self.thread.join(1)
        return bytes(self.kept).decode(errors="replace")


# --- reports --------------------------------------------------------------------------------------


def _findings(path: str, reports: str, output: str, seconds: float, status: int | None) -> Findings:
    """Return the findings in the reports of a process; it has no status if it did not end by itself."""
    found, rest = _parsed(reports)
    faults = [_fault(one) for report in found for one in report.get("faults", ())]
    hints = tuple(_hints(report for report in found if "shape" in report))
    ends = [report for report in found if "done" in report]
    if not ends:
        faults.append(_ended(path, rest, output, seconds, status))
    calls = ends[0]["calls"] if ends else 0
    complete = bool(ends) and not faults
    return Findings(tuple(faults), hints, output, complete, calls=calls)


def _parsed(reports: str) -> tuple[list[dict[str, Any]], str]:
    """Return the reports, and the other lines, which a run writes that takes too long."""
    found: list[dict[str, Any]] = []
    rest: list[str] = []
    for line in reports.split("\n"):
        try:
            report = json.loads(line) if line.startswith("{") else None
        except ValueError:  # it was cut
            report = None
        if isinstance(report, dict):
            found.append(report)
        else:
            rest.append(line)
    return found, "\n".join(rest)


def _fault(report: dict[str, Any]) -> PythonFault:
    mentions = tuple(
        Mention(file, Lines(*place), text) for file, place, text in report.get("mentions", ())
    )
    return PythonFault(
        report["code"],
        report["severity"],
        report["message"],
        Lines(*report["place"]),
        report.get("note", ""),
        report.get("help", ""),
        mentions,
    )


def _ended(path: str, frames: str, output: str, seconds: float, status: int | None) -> PythonFault:
    """Return the fault of a run that did not reach its end, at the line that was running."""
    lines = [int(number) for file, number in _FRAME.findall(frames) if file == path]
    line = lines[0] if lines else 1  # the innermost frame comes first
    if status is None or "Timeout" in frames:
        message = f"the file ran for more than {seconds:g} s and was ended"
    elif status == 1 and "No module named" in output:
        last = output.strip().rpartition("\n")[2]
        message = f"this Python has no mimgraph, so choose the interpreter of the project: {last}"
    else:
        signaled = status < 0
        message = (
            f"the file ended its process with {'signal' if signaled else 'status'} {abs(status)}"
        )
    return PythonFault("python", "error", message[:1_000], Lines(line, 1, line, 1))


def _hints(reports: Iterator[dict[str, Any]]) -> Iterator[CallHint]:
    """Yield a hint for each place; of a function in another file, the last result is its own."""
    places: dict[Lines, list[str]] = {}
    for report in reports:
        place = Lines(*report["place"])
        shapes = places.setdefault(place, [])
        if not report["inner"]:
            shapes.clear()
        shapes.append(report["shape"])
    for place, shapes in sorted(places.items()):
        text = " | ".join(shapes[:SHOWN])
        if len(shapes) > SHOWN:
            text = f"{shapes[0]} ... {shapes[-1]}, {len(shapes)} shapes"
        yield CallHint(place, text)
