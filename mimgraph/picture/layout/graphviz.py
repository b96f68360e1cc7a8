"""Run Graphviz, `graphviz-pure` or else `dot`, in a process with limits on time and memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig

from mimgraph.picture.errors import DRAW_LESS, RenderError

TIME_LIMIT = 60  # seconds of wall-clock time, enough on a busy machine
CPU_LIMIT = 10  # seconds of processor time; some dense graphs of fifty boxes would take hours
MEMORY_LIMIT = 1 << 30  # bytes


def graphviz(source: str) -> bytes:
    """Return the layout that Graphviz computes for dot text, as JSON."""
    return _run([_engine(), "-Kdot", "-Tjson0"], source)


def _limit() -> None:
    """Limit the processor time and memory of the current process."""
    import resource  # missing on Windows

    for kind, most in ((resource.RLIMIT_CPU, CPU_LIMIT), (resource.RLIMIT_AS, MEMORY_LIMIT)):
        _, allowed = resource.getrlimit(kind)
        if allowed == resource.RLIM_INFINITY or most < allowed:
            resource.setrlimit(kind, (most, most))


def _engine() -> str:
    """Return the path of Graphviz: the one installed with mimgraph if possible, so that every
    machine draws the same bytes."""
    pure = "graphviz-pure"
    found = shutil.which(pure, path=sysconfig.get_path("scripts"))
    found = found or shutil.which(pure) or shutil.which("dot")
    if found is None:
        raise RenderError(
            "pictures need Graphviz: pip install graphviz-pure, or install dot;"
            " only a .dot file can be written without it"
        )
    return found


def _run(command: list[str], source: str) -> bytes:
    """Run a command on dot text, and return its output; raise a `RenderError` if it fails."""
    # imported here, so that commands that draw nothing start fast
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
        raise RenderError(
            f"Graphviz took longer than {TIME_LIMIT} seconds: {DRAW_LESS}, or write a .dot file"
        ) from None
    except CalledProcessError as error:
        if error.returncode < 0:
            raise RenderError(
                f"Graphviz needs more than {CPU_LIMIT} seconds or {MEMORY_LIMIT >> 20} MiB for so"
                f" many edges: {DRAW_LESS}, or write a .dot file"
            ) from None
        message = error.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise RenderError(f"Graphviz failed: {message or error.returncode}") from None
    except (ExecutableNotFound, OSError) as error:
        raise RenderError(f"Graphviz cannot be run: {error}") from None
    return bytes(done.stdout)
