"""Find the results and tensors of a user's module: on the meta device, where tensors have no data, or on
the CPU if it needs data."""

from __future__ import annotations

import inspect
import itertools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mimgraph.ir.types import TensorType
from mimgraph.ops.custom import cpu_process
from mimgraph.ops.custom.absent_weights import absent_weights
from mimgraph.ops.custom.device import CPU, META, Device
from mimgraph.ops.custom.maker import has_forward, sources_of
from mimgraph.ops.custom.module_signature import Facts, Parts, Probed, Registered, first_line
from mimgraph.ops.custom.runs import NeedsData, check_memory, needs_data, results, wants_data
from mimgraph.ops.op import OpFault
from mimgraph.support.offline import MissingFile, missing_file


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
        return cpu_process.answer(op, partial(_sources_on_cpu, op, arguments))


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
            cpu_process.check_size(op, module)
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
    return cpu_process.answer(op, partial(_facts_on_cpu, op, make, positional, keywords))


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
