"""Call a function in a process of its own, with limits on its time, memory and output.

On Linux the process is a fork, so it has all that is defined here, a notebook's classes too, and starts
at once. Elsewhere a fork is not safe, and the process imports what the function refers to."""

from __future__ import annotations

import faulthandler
import os
import pickle
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any, NoReturn, TypeVar, cast


def limit_process(memory: int, seconds: int | None = None) -> None:
    """Limit bytes of memory, and seconds of processor time, where the platform can.

    Memory is what is written to: libraries reserve much more addresses than that.
    """
    try:
        import resource
    except ImportError:  # on Windows
        return
    limits = [(resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)]
    if seconds is not None:
        limits.append((resource.RLIMIT_CPU, seconds))
    for limit, most in limits:
        _, hard = resource.getrlimit(limit)
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(ValueError, OSError):  # macOS does not take each of them
            resource.setrlimit(limit, (lower, hard))


def data_of_process() -> int:
    """Return the bytes of memory that this process writes to, as its limit counts them; 0 if unknown."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


FORKS = sys.platform == "linux"
GRACE = 3.0  # seconds to start and to end
MOST_ANSWER = 50_000_000  # bytes
MARK = b"mimgraph answers "  # stands before the length of the answer
_FRAME = re.compile(r'^\s*File "(.*)", line (\d+) in (\S+)', re.MULTILINE)

Answer = TypeVar("Answer")


class Ended(Exception):
    """Raised if the process gave no answer; the message says why."""


def call(function: Callable[[], Answer], seconds: float, memory: int) -> Answer:
    """Return what a function returns in a process that may take so many seconds, and so many bytes of
    memory beyond what this one has.

    What it prints is lost. The answer is a pickle: the function is trusted as this process is.
    """
    process = (_fork if FORKS else _start)(function, seconds, memory)
    answers = _Answers(process.answers)
    try:
        answers.wait(seconds + (GRACE if FORKS else 10 * GRACE))  # a new process imports torch
        status = process.status() if answers.is_closed else None
    finally:
        process.end()
    return cast("Answer", _answer(answers, status, seconds))


class _Process:
    """A process that writes an answer to a pipe; `popen` is None for a fork."""

    def __init__(
        self, number: int, answers: int, popen: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.number = number
        self.answers = answers
        self.popen = popen

    def status(self) -> int | None:
        """Return the status with which it ended, minus the number of a signal; None if it has not."""
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            if (status := self._poll()) is not None:
                return status
            time.sleep(0.005)
        return None

    def _poll(self) -> int | None:
        if self.popen is not None:
            return self.popen.poll()
        try:
            number, status = os.waitpid(self.number, os.WNOHANG)
        except ChildProcessError:  # this program waits for all of its children
            return 0
        return os.waitstatus_to_exitcode(status) if number else None

    def end(self) -> None:
        """End it with all that it started in its session."""
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.number, signal.SIGKILL)
        elif self.popen is not None:
            self.popen.kill()
        self.status()


def _fork(function: Callable[[], Any], seconds: float, memory: int) -> _Process:
    """Return a fork of this process that calls the function."""
    answers, ours = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # of a lock of another thread: time ends it
        number = os.fork()
    if number == 0:
        with suppress(OSError):
            os.setsid()
        _serve(function, ours, seconds, memory)
    os.close(ours)
    with suppress(OSError):  # so that it has a group of its own at once, whoever runs first
        os.setpgid(number, number)
    return _Process(number, answers)


def _start(function: Callable[[], Any], seconds: float, memory: int) -> _Process:
    """Return a new process that calls the function."""
    try:
        request = pickle.dumps((seconds, memory, function))
    except Exception as error:  # noqa: BLE001 - to pickle an object of a user may raise anything
        raise Ended(f"another process cannot import it: {error}") from None
    popen = subprocess.Popen(
        [sys.executable, "-P", "-m", "mimgraph.support.limited_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    assert popen.stdin is not None and popen.stdout is not None
    with suppress(OSError), popen.stdin as requests:  # it may end before it reads all
        requests.write(request)
    with popen.stdout as answers:
        return _Process(popen.pid, os.dup(answers.fileno()), popen)


# --- in the process -------------------------------------------------------------------------------


def _main() -> NoReturn:
    """Call the function that standard input has."""
    ours = os.dup(1)
    request = sys.stdin.buffer.read()
    try:
        seconds, memory, function = pickle.loads(request)
    except BaseException as error:  # noqa: BLE001 - an import of the user's may raise anything
        message = f"another process cannot import it: {type(error).__name__}: {error}"
        _send(ours, pickle.dumps((False, message)))
        os._exit(0)
    _serve(function, ours, seconds, memory)


def _serve(function: Callable[[], Any], ours: int, seconds: float, memory: int) -> NoReturn:
    """Call the function, answer, and end the process without running anything else of it."""
    try:
        empty = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(empty, stream)
        sys.stdout = sys.stderr = open(empty, "w", encoding="utf-8")  # noqa: SIM115 - those may be a notebook's
        faulthandler.enable(ours)
        faulthandler.dump_traceback_later(seconds, exit=True, file=ours)
        limit_process(memory + data_of_process(), int(seconds) + 5)
        _send(ours, _pickled(function))
    finally:
        os._exit(0)


def _pickled(function: Callable[[], Any]) -> bytes:
    """Return the answer as bytes, or what the function raised."""
    try:
        return pickle.dumps((True, function()))
    except MemoryError:
        return pickle.dumps((False, "it needs more memory than it may have"))
    except BaseException as error:  # noqa: BLE001 - the function may raise anything
        return pickle.dumps((False, f"{type(error).__name__}: {error}"[:1_000]))


def _send(ours: int, answer: bytes) -> None:
    text = MARK + b"%d\n" % len(answer) + answer
    while text:
        text = text[os.write(ours, text) :]


# --- in the caller --------------------------------------------------------------------------------


class _Answers:
    """Reads a pipe in a thread until its end, or until it has a whole answer."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.found = bytearray()
        self.is_closed = False
        self.thread = Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            while self.answer is None and len(self.found) < MOST_ANSWER:
                piece = os.read(self.pipe, 1 << 16)
                if not piece:
                    self.is_closed = True
                    break
                self.found += piece
        finally:
            os.close(self.pipe)

    def wait(self, seconds: float) -> None:
        """Wait for the end or the answer."""
        self.thread.join(seconds)

    @property
    def answer(self) -> bytes | None:
        """The answer; None if it is not whole."""
        _, mark, rest = self.found.partition(MARK)
        length, end, body = rest.partition(b"\n")
        is_whole = bool(mark and end) and len(body) >= int(length)
        return bytes(body[: int(length)]) if is_whole else None


def _answer(answers: _Answers, status: int | None, seconds: float) -> Any:
    """Return the answer; raise `Ended` if there is none."""
    if (answer := answers.answer) is not None:
        is_answer, found = pickle.loads(answer)
        if is_answer:
            return found
        raise Ended(found)
    text = bytes(answers.found).decode(errors="replace")
    if status is None or "Timeout (" in text:
        raise Ended(f"it took more than {seconds:g} s{_place(text)}")
    if status < 0:
        raise Ended(f"its process crashed: {signal.strsignal(-status)}{_place(text)}")
    raise Ended(f"it ended its process with status {status}")


def _place(text: str) -> str:
    """Return the innermost line that ran, of a file that belongs neither to torch nor to mimgraph."""
    frames = _FRAME.findall(text)
    own = [f for f in frames if not re.search(r"[/\\](torch|mimgraph|importlib)[/\\]", f[0])]
    for file, line, function in own[:1]:
        return f", at {os.path.basename(file)}:{line} in {function}"
    return ""


if __name__ == "__main__":
    _main()
