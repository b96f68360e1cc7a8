"""Run a tool in a process of its own, with a limit on its time and memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any

from anyio import BrokenWorkerProcess, CapacityLimiter, Lock, fail_after, to_process

from mimgraph.editor.mcp.answers import Answer
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.editor.mcp.tools import TOOLS
from mimgraph.support.limited_process import limit_process

SECONDS = 30.0
MEMORY = 4 << 30  # bytes, on a platform that can limit them
AT_ONCE = 2  # processes; further calls wait


@dataclass
class Workers:
    """Processes that run the tools of a server: a call that takes too long is ended, and so is one
    that the client cancels. Tools that write run one after another.

    The `modules`, which the user named at the start, register layers in each process.
    """

    folder: Folder
    seconds: float = SECONDS
    modules: tuple[str, ...] = ()
    _slots: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE))
    _writing: Lock = field(default_factory=Lock)

    async def run(self, tool: str, arguments: dict[str, Any], writes: bool) -> Answer:
        """Return the answer of a tool; a `WrongCall` has what to tell the language model."""
        if writes:
            async with self._writing:
                return await self._run(tool, arguments)
        return await self._run(tool, arguments)

    async def _run(self, tool: str, arguments: dict[str, Any]) -> Answer:
        async with self._slots:
            try:
                with fail_after(self.seconds):
                    return await to_process.run_sync(
                        bounded_answer,
                        self.folder,
                        tool,
                        arguments,
                        self.modules,
                        cancellable=True,
                        limiter=CapacityLimiter(1),
                    )
            except TimeoutError:
                message = f"{tool} took more than {self.seconds:g} s and was ended"
                raise WrongCall(message) from None
            except (BrokenWorkerProcess, MemoryError):
                message = f"{tool} was ended by the system, perhaps for lack of memory"
                raise WrongCall(message) from None


def bounded_answer(
    folder: Folder, tool: str, arguments: dict[str, Any], modules: tuple[str, ...]
) -> Answer:
    """Return the answer of a tool, in a process whose memory is limited from now on."""
    limit_process(MEMORY)
    for name in modules:
        import_module(name)
    return answer(folder, tool, arguments)


def answer(folder: Folder, tool: str, arguments: dict[str, Any]) -> Answer:
    """Return the answer of a tool with its data as a dict."""
    try:
        found = TOOLS[tool](folder, **arguments)
    except RecursionError:
        raise WrongCall("the arguments are nested too deep") from None
    return found._replace(data=asdict(found.data))
