"""Graphviz as a process of its own, bounded in time and memory: `graphviz-pure`, else `dot`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

TIME_LIMIT = 60  # seconds by the clock, on a machine that does much else
CPU_LIMIT = 10  # seconds of work: some dense graphs of fifty boxes would take hours
MEMORY_LIMIT = 1 << 30  # bytes


class RenderError(RuntimeError):
    """A picture could not be made."""


def graphviz(source: str) -> bytes:
    """Where Graphviz puts what the dot text tells, as JSON."""
    return _run([_engine(), "-Kdot", "-Tjson0"], source)


def _limit() -> None:
    """Bound the process of Graphviz, whatever the graph."""
    import resource  # which Windows has not

    for kind, most in ((resource.RLIMIT_CPU, CPU_LIMIT), (resource.RLIMIT_AS, MEMORY_LIMIT)):
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or most < allowed:
            resource.setrlimit(kind, (most, most))


def _engine() -> str:
    """The one that comes with us, so that every machine draws the same bytes."""
    pure = "graphviz-pure"
    found = shutil.which(pure, path=sysconfig.get_path("scripts"))
    found = found or shutil.which(pure) or shutil.which("dot")
    if found is None:
        raise RenderError(
            "pictures need Graphviz: install graphviz-pure or dot; .dot works without"
        )
    return found


def _run(command: list[str], source: str) -> bytes:
    # only pictures need the package, and summaries should start fast
    from graphviz.backend.execute import CalledProcessError, ExecutableNotFound, run_check

    try:
        done = run_check(
            command,
            input=source.encode(),
            capture_output=True,
            quiet=True,
            timeout=TIME_LIMIT,
            preexec_fn=_limit if os.name == "posix" else None,
        )
    except subprocess.TimeoutExpired:
        raise RenderError(f"Graphviz took longer than {TIME_LIMIT} seconds") from None
    except CalledProcessError as error:
        if error.returncode < 0:
            raise RenderError(
                f"Graphviz needs more than {CPU_LIMIT} seconds or {MEMORY_LIMIT >> 20} MiB for so"
                " many lines: draw less of it, with a depth or collapsed, or write a .dot"
            ) from None
        told = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise RenderError(f"Graphviz failed: {told or error.returncode}") from None
    except (ExecutableNotFound, OSError) as error:
        raise RenderError(f"Graphviz cannot be run: {error}") from None
    return bytes(done.stdout)
