"""Read a program of torch.export as a module that can be traced: nested as the model was, with its weights."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, TypeGuard

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.utils import _pytree

from mimgraph.importer.inputs.lengths import size_name
from mimgraph.importer.inputs.model import Arguments, ForwardInputs, InputError, ModelInput, Slot


class Program(nn.Module):
    """Runs an exported program, which refuses to be put into evaluation mode."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self._run = (program,)  # no submodule, so that `eval` does not reach it

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the program returns."""
        return self._run[0](*args, **kwargs)


class Exported(NamedTuple):
    """The modules of a program, its inputs, and the program as one module to compare with."""

    model: nn.Module
    given: ForwardInputs
    reference: nn.Module


def is_exported(given: object) -> TypeGuard[ExportedProgram]:
    """Return whether something is an exported program."""
    return isinstance(given, ExportedProgram)


def load_exported(path: str) -> ExportedProgram:
    """Return the program in a `.pt2` file, whose code torch runs; a `ValueError` says that there is none."""
    with open(path, "rb") as file:
        if file.read(2) != b"PK":
            raise ValueError(f"{path} is no program that torch.export.save wrote")
    try:
        return torch.export.load(path)
    except Exception as error:  # noqa: BLE001 - whatever torch meets in the archive
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is no program that torch.export.save wrote: {reason}") from None


def read_exported(program: ExportedProgram) -> Exported:
    """Return a program as nested modules, whose inputs have the sizes that it was exported with.

    An `InputError` says that the batch is fixed: a spec has any batch.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about its trees
        model = torch.export.unflatten(program)
        reference = Program(program.module())
    return Exported(model, _inputs(program), reference)


def _inputs(program: ExportedProgram) -> ForwardInputs:
    vocab = _vocabularies(program)
    names = dict[str, str]()  # of symbols
    inputs, slots = list[ModelInput](), list[Any]()
    for node in program.graph.nodes:
        if node.op != "placeholder" or node.name not in program.graph_signature.user_inputs:
            continue
        given = node.meta.get("val")
        if not isinstance(given, Tensor):
            slots.append(given)
            continue
        shape = tuple(
            _named(names, size, axis, given.dim()) for axis, size in enumerate(given.shape)
        )
        dtype = str(given.dtype).removeprefix("torch.")
        inputs.append(ModelInput(node.name, shape[1:], dtype, vocab.get(node.name), None))
        slots.append(Slot(node.name))
        if not shape or shape[0] != "N":
            help = f'dynamic_shapes={{"{node.name}": {{0: torch.export.Dim("batch")}}}}'
            raise InputError(f"the program has a fixed batch: export it with {help}, and so on")
    spec = program.call_spec.in_spec
    assert spec is not None
    args, kwargs = _pytree.tree_unflatten(slots, spec)
    return ForwardInputs(tuple(inputs), Arguments(tuple(args), dict(kwargs)), ())


def _named(names: dict[str, str], size: Any, axis: int, rank: int) -> int | str:
    """Return a size, in which each symbol has a name that tells what it is: `8*H`."""
    if isinstance(size, int):
        return size
    expression = size.node.expr
    text = str(expression)
    for found in sorted(map(str, expression.free_symbols)):
        if found not in names:
            names[found] = size_name(axis, rank, names.values())
        text = text.replace(found, names[found])
    return text


def _vocabularies(program: ExportedProgram) -> dict[str, int]:
    """Return the number of rows of the embedding that reads each input of indices."""
    found = dict[str, int]()
    for node in program.graph.nodes:
        if (
            node.op == "call_function"
            and getattr(node.target, "__name__", "") == "embedding.default"
        ):
            weight, indices = node.args[:2]
            found[indices.name] = min(weight.meta["val"].shape[0], found.get(indices.name, 2**31))
    return found
