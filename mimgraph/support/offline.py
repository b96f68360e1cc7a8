"""Keep code of others from the network, and say which file it wanted.

`MIMGRAPH_OFFLINE=1` asks for it while modules are made; while shapes are found it is so in any case.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, NamedTuple

SWITCH = "MIMGRAPH_OFFLINE"
HUB_SWITCH = "HF_HUB_OFFLINE"  # of the library of the Hugging Face hub
HUB_CONSTANTS = "huggingface_hub.constants"  # its module that reads the switch when it is imported
EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "urllib.Request"})
LOCAL = ("localhost", "127.", "::1", "0.0.0.0")  # beginnings of addresses of this machine

_refusing = ContextVar("refusing", default=False)
_hooked: list[bool] = []


class Refused(ConnectionError):
    """Raised in code that reaches for the network where that is refused."""


def is_offline() -> bool:
    """Return whether the environment asks to stay off the network."""
    return os.environ.get(SWITCH, "").strip().lower() in ("1", "true", "yes", "on")


@contextmanager
def offline() -> Iterator[None]:
    """Stay off the network wherever modules are made, in this process and those that it starts."""
    before = os.environ.get(SWITCH)
    os.environ[SWITCH] = "1"
    try:
        yield
    finally:
        _restore(SWITCH, before)


@contextmanager
def refusing_network() -> Iterator[None]:
    """Raise `Refused` in code of this thread that reaches for another machine, and let the hub's library
    read its cache alone."""
    if _refusing.get():
        yield
        return
    _hook()
    token = _refusing.set(True)
    try:
        with _hub_offline():
            yield
    finally:
        _refusing.reset(token)


def as_asked() -> AbstractContextManager[None]:
    """Refuse the network if the environment asks for that."""
    return refusing_network() if is_offline() else nullcontext()


def _hook() -> None:
    """Look at what Python does from now on: such a hook cannot be removed, so there is one."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_audit)


def _audit(event: str, given: tuple[Any, ...]) -> None:
    if event not in EVENTS or not _refusing.get():
        return
    target = given[1] if event == "socket.connect" else given[0]
    if isinstance(target, tuple):
        target = target[0]
    if isinstance(target, bytes):
        target = target.decode(errors="replace")
    if _is_elsewhere(event, target):
        raise Refused(f"{target} is not reached: the network is off here")


def _is_elsewhere(event: str, target: object) -> bool:
    """Return whether an address, a name of a machine or a URL leads to another machine."""
    if not isinstance(target, str) or not target:
        return False
    if event == "urllib.Request":
        return target.partition(":")[0].lower() in ("http", "https", "ftp")
    return not target.startswith(LOCAL) and not target.startswith("/")


@contextmanager
def _hub_offline() -> Iterator[None]:
    """Set the switch of the hub's library, imported or not yet."""
    before = os.environ.get(HUB_SWITCH)
    constants = sys.modules.get(HUB_CONSTANTS)
    was = getattr(constants, HUB_SWITCH, None)
    os.environ[HUB_SWITCH] = "1"
    if constants is not None:
        setattr(constants, HUB_SWITCH, True)
    try:
        yield
    finally:
        _restore(HUB_SWITCH, before)
        constants = sys.modules.get(HUB_CONSTANTS)
        if constants is not None:  # if it was imported meanwhile, it read our switch
            on = was if was is not None else (before or "").upper() in ("1", "ON", "YES", "TRUE")
            setattr(constants, HUB_SWITCH, on)


def _restore(variable: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before


# --- the file that was wanted ---------------------------------------------------------------------


class MissingFile(NamedTuple):
    """A file that is not on this machine: its name, where it was looked for, and how to put it there."""

    name: str
    place: str
    help: str


def missing_file(error: BaseException) -> MissingFile | None:
    """Return the file that an error is about; None if it is not about a file to download."""
    for one in _chain(error):
        if not _is_connection(one):
            continue
        for frame in _frames(one.__traceback__):
            found = _of_torch_hub(frame) or _of_hub(frame)
            if found is not None:
                return found
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors behind it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__context__, one.__cause__]


def _is_connection(error: BaseException) -> bool:
    """Return whether an error says that another machine cannot be reached, or that a file is not in the
    cache; a server that answers, `404`, was reached."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if "HTTPError" in names and "LocalEntryNotFoundError" not in names:
        return False
    kinds = {"LocalEntryNotFoundError", "ConnectError", "TimeoutException", "URLError"}
    return isinstance(error, ConnectionError | TimeoutError) or bool(kinds & names)


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    """Yield the frames of a traceback, the innermost last."""
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _of_torch_hub(frame: FrameType) -> MissingFile | None:
    """Return the file that torch.hub downloads in a frame."""
    if frame.f_globals.get("__name__") != "torch.hub" or "dst" not in frame.f_locals:
        return None
    url, path = str(frame.f_locals.get("url")), str(frame.f_locals["dst"])
    command = f"curl -L --create-dirs -o {shlex.quote(path)} {shlex.quote(url)}"
    help = f"where there is a network: {command}"
    return MissingFile(os.path.basename(path), path, help)


def _of_hub(frame: FrameType) -> MissingFile | None:
    """Return the file that the hub's library looks for in a frame."""
    names, module = frame.f_locals, str(frame.f_globals.get("__name__"))
    repository, file = names.get("repo_id"), names.get("filename")
    if not module.startswith("huggingface_hub.") or not isinstance(repository, str):
        return None
    if not isinstance(file, str):
        return None
    revision = names.get("revision")
    suffix = f" --revision {revision}" if revision not in (None, "main") else ""
    cache = getattr(sys.modules.get(HUB_CONSTANTS), "HF_HUB_CACHE", "the cache of the hub")
    # the config is the first file of a model, and a pickle what timm asks for after its safetensors
    whole = file == "config.json" or file.endswith(".bin")
    what = repository if whole else f"{repository} {file}"
    help = f"where there is a network: hf download {what}{suffix}"
    return MissingFile(f"{file} of {repository}", str(names.get("cache_dir") or cache), help)
