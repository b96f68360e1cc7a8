"""Find the types that a registered module returns, by making it and running it."""

from __future__ import annotations

import inspect
import itertools
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from functools import partial
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

import torch
import torch.hub
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mimgraph.ir.types import TensorType
from mimgraph.ops.custom.module_signature import (
    Facts,
    Parts,
    Probed,
    first_line,
    has_forward,
    sources_of,
)
from mimgraph.ops.custom.runs import (
    CPU,
    META,
    Device,
    NeedsData,
    check_memory,
    needs_data,
    results,
    wants_data,
)
from mimgraph.ops.op import OpFault
from mimgraph.support.limited_process import Ended, call
from mimgraph.support.offline import MissingFile, missing_file

if TYPE_CHECKING:
    from mimgraph.ops.custom.registration import Registered

_absent = ContextVar("absent", default=False)


@contextmanager
def absent_weights() -> Iterator[None]:
    """Let torch.hub download nothing, and files that are not there hold no tensors: so a module is made
    with the weights that it has before it loads others, whose shapes are the same."""
    load, load_state_dict = torch.load, nn.Module.load_state_dict
    download = torch.hub.download_url_to_file

    def no_download(*args: Any, **keywords: Any) -> None:
        if not _absent.get():  # another thread's
            download(*args, **keywords)

    def load_what_is_there(file: Any, *args: Any, **keywords: Any) -> Any:
        is_path = isinstance(file, str | os.PathLike)
        if _absent.get() and is_path and not os.path.exists(file):
            return {}
        return load(file, *args, **keywords)

    def keep(self: nn.Module, state: Any, *args: Any, **keywords: Any) -> Any:
        if _absent.get() and not state:
            return load_state_dict(self, self.state_dict(), assign=True)
        return load_state_dict(self, state, *args, **keywords)

    token = _absent.set(True)
    try:
        with (
            patch.object(torch.hub, "download_url_to_file", no_download),
            patch.object(torch, "load", load_what_is_there),
            patch.object(nn.Module, "load_state_dict", keep),
        ):
            yield
    finally:
        _absent.reset(token)


# Ask a process with limits about a user's module, and report what goes wrong there as a fault.


GIB = 1 << 30
SECONDS = 20.0  # for all runs of one question
MEMORY = 4 * GIB  # bytes beyond what this process has

Answer = TypeVar("Answer")


def answer(op: Probed, question: Callable[[], Answer]) -> Answer:
    """Return what a function returns in a process with limits; raise the fault that it raises there."""
    try:
        found = call(partial(_asked, question), SECONDS, MEMORY)
    except Ended as ended:
        message = f"{op.name} cannot be run to find its shapes"
        raise OpFault(
            "cannot-run", message, note=str(ended), help=op.shape_help, at_node=True
        ) from None
    if isinstance(found, OpFault):
        raise found
    return found


def _asked(question: Callable[[], Answer]) -> Answer | OpFault:
    """Return the answer or the fault; with one thread, as a fork has none of the others."""
    torch.set_num_threads(1)
    try:
        return question()
    except OpFault as fault:
        return fault


def check_size(op: Probed, module: nn.Module) -> None:
    """Refuse a module on the meta device that cannot be made within the limits if it needs data."""
    held = chain(module.parameters(), module.buffers())
    size = sum(tensor.numel() * tensor.element_size() for tensor in held)
    if size > MEMORY // 2:
        message = f"{op.name} cannot be run to find its shapes"
        note = f"it needs data, and its tensors take {size / GIB:.1f} GiB, more than {MEMORY / GIB / 2:.0f}"
        raise OpFault("cannot-run", message, note=note, help=op.shape_help, at_node=True)


# Find the results and tensors of a user's module: on the meta device, where tensors have no data,
# or on the CPU if it needs data.


def owned(op: Registered, arguments: Mapping[str, Any]) -> Facts:
    """Return the tensors of the module; none if its constructor needs data."""
    try:
        return tensors(_make(op, arguments), {})
    except NeedsData:
        return Facts({}, {}, {})


def sources(op: Registered, arguments: Mapping[str, Any]) -> Sequence[inspect.Parameter]:
    """Return the parameters of the `forward` of the module."""
    try:
        return _sources(_make(op, arguments))
    except NeedsData:
        return answer(op, partial(_sources_on_cpu, op, arguments))


def probe(
    op: Registered,
    arguments: Mapping[str, Any],
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    """Return the results of a call, and the tensors of the module."""
    module = None
    try:
        module = _make(op, arguments)
        return facts(op, module, positional, keywords)
    except NeedsData:
        if module is not None:
            check_size(op, module)
        return facts_on_cpu(op, partial(_make, op, arguments, CPU), positional, keywords)


def facts(
    op: Probed,
    module: nn.Module,
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    """Return the results of a call of a module on the meta device, and its tensors; raise `NeedsData` if it
    needs data."""
    return tensors(module, results(op, module, positional, keywords))


def facts_on_cpu(
    op: Probed,
    make: Callable[[], nn.Module],
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    """Return the same of a module that is made and run on the CPU, in a process with limits."""
    return answer(op, partial(_facts_on_cpu, op, make, positional, keywords))


def tensors(module: nn.Module, parts: Parts) -> Facts:
    """Return the results with the tensors of the module."""
    weights, buffers = _shapes(module.named_parameters()), _shapes(module.named_buffers())
    return Facts(parts, weights, buffers, dict(_layers(module)))


KINDS = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d)
# they read the weights of their layers themselves, so that adapters of these would do nothing
READERS = (nn.MultiheadAttention, nn.TransformerEncoderLayer)


def _layers(module: nn.Module) -> Iterator[tuple[str, str]]:
    """Yield the layers that peft can adapt, by path, each with the name of its class in torch."""
    inside = tuple(f"{path}." for path, one in module.named_modules() if isinstance(one, READERS))
    for path, one in module.named_modules():
        kind = next((kind.__name__ for kind in KINDS if isinstance(one, kind)), None)
        is_plain = "weight" in one._parameters and getattr(one, "groups", 1) == 1
        if kind is not None and is_plain and not path.startswith(inside):
            yield path, kind


def _shapes(named: Iterable[tuple[str, Tensor]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes by name; the shapes of a lazy module are known after it has run."""
    return {name: tuple(tensor.shape) for name, tensor in named if not is_lazy(tensor)}


# --- in the process -------------------------------------------------------------------------------


def _facts_on_cpu(
    op: Probed,
    make: Callable[[], nn.Module],
    positional: Sequence[TensorType],
    keywords: Mapping[str, TensorType],
) -> Facts:
    module = make()
    return tensors(module, results(op, module, positional, keywords, CPU))


def _sources_on_cpu(op: Registered, arguments: Mapping[str, Any]) -> Sequence[inspect.Parameter]:
    return _sources(_make(op, arguments, CPU))


def _sources(module: nn.Module) -> Sequence[inspect.Parameter]:
    """Return the parameters of the `forward` of a module, without annotations, and with a default that any
    process can read."""
    if not has_forward(module):
        return ()
    empty = inspect.Parameter.empty
    return [
        one.replace(annotation=empty, default=empty if one.default is empty else None)
        for one in sources_of(module.forward)
    ]


# --- making it ------------------------------------------------------------------------------------


def _make(op: Registered, arguments: Mapping[str, Any], device: Device = META) -> nn.Module:
    """Return the module on a device; an error that names one option is reported there."""
    try:
        with device.active(), redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "for .*: copying from a non-meta parameter")
            module = _called(op, arguments)
            if not isinstance(module, nn.Module):
                raise TypeError(f"it returns {type(module).__name__}, not a module")
            return module if _is_on(module, device) else module.to(device.name)
    except Exception as error:
        check_memory(error)
        missing = missing_file(error)
        if missing is not None:
            raise _missing_weights(missing) from error
        if device is META and wants_data(error):
            raise needs_data(op, error) from error
        named = [name for name in arguments if re.search(rf"\b{name}\b", str(error))]
        raise OpFault(
            "bad-option",
            f"{op.name} cannot be made with these options",
            option=named[0] if len(named) == 1 else None,
            note=first_line(error),
            at_node=True,
        ) from error


def _called(op: Registered, arguments: Mapping[str, Any]) -> object:
    """Return what a class or function makes; without the weights that it would download."""
    try:
        return op.maker(**arguments)
    except Exception as error:
        if missing_file(error) is None:
            raise
    with absent_weights():
        return op.maker(**arguments)


def _missing_weights(missing: MissingFile) -> OpFault:
    """Return the fault of a file that a module cannot be made without."""
    message = f"{missing.name} is not on this machine"
    note = f"it was looked for in {missing.place}"
    return OpFault("missing-weights", message, note=note, help=missing.help, at_node=True)


def _is_on(module: nn.Module, device: Device) -> bool:
    """Return whether all tensors of a module are on a device."""
    held = itertools.chain(module.parameters(), module.buffers())
    return all(tensor.device.type == device.name for tensor in held)
