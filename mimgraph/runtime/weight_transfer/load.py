"""Copy the weights of another module, or its `state_dict`, into the model of a graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mimgraph.cost.bind_sizes import checked
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ops.custom.module_signature import first_line
from mimgraph.runtime.input_ranges import limits
from mimgraph.runtime.runner import seeded_inputs
from mimgraph.runtime.weight_transfer.calls import Call, call_of
from mimgraph.runtime.weight_transfer.compare_outputs import (
    OutputComparison,
    compare_outputs,
    with_ends,
    without_padding,
)
from mimgraph.runtime.weight_transfer.conventions import defined, in_parts, joined_in_both
from mimgraph.runtime.weight_transfer.copy_plan import plan, shapes
from mimgraph.runtime.weight_transfer.transfer import Transfer
from mimgraph.runtime.weight_transfer.usage import Usage, own_tensors, unique_tensors
from mimgraph.runtime.weight_transfer.watch_forward import usage_of
from mimgraph.runtime.weights import OF_OLDER
from mimgraph.support.arguments import as_mapping, as_plain, as_texts
from mimgraph.support.columns import lists


def load_state(
    graph: TypedGraph,
    model: nn.Module,
    other: nn.Module | Mapping[str, Tensor],
    strict: bool,
    inputs: Mapping[str, str] | None,
    sizes: Mapping[str, int] | None,
) -> Transfer:
    """Copy the tensors of `other` into the tensors of the model that are used alike."""
    inputs = as_texts("inputs", inputs, '{"text": "input_ids"}')
    sizes = as_plain("sizes", as_mapping("sizes", sizes, '{"T": 128}'))
    checked(graph, sizes)
    sample = seeded_inputs(graph, 2, 0, choose_sizes(graph, sizes))
    call = call_of(other, sample, inputs) if isinstance(other, nn.Module) else None
    mine = Call(model, {name: name for name in sample}, by_position=False)
    both = _without_indices(_usages(graph, mine, other, call, sample))
    joined = () if both.were_run else joined_in_both(both.ours, both.theirs)
    own = _own(model)
    found = plan(both.ours, both.theirs, own, joined)
    buffers = {key for key, _ in model.named_buffers()}
    lacking = [key for key in found.missing if key not in own & buffers]
    if strict and lacking:
        raise both.misfit(lacking, found.unused)
    ours, theirs = both.ours.tensors, both.theirs.tensors
    is_doubtful = strict and (found.unused or found.guessed)
    before = {key: ours[key].detach().clone() for key in ours if is_doubtful}
    found.copy(ours, theirs)
    proof = OutputComparison((), {})
    if call is not None and both.were_run and not lacking:
        words = dict(limits(graph.body))
        samples = sample, with_ends(sample, words), without_padding(sample, words, call.module)
        proof = compare_outputs(mine, call, samples, tuple(graph.body.outputs))
    warning = _difference(proof, call, sample) if proof.different else ""
    if is_doubtful and (warning or (found.unused and not proof.equal)):
        for key, tensor in before.items():
            ours[key].detach().copy_(tensor)
        if found.unused:
            raise both.misfit(lacking, found.unused)
        raise ValueError("\n- ".join([warning, *both.order_advice(found.guessed)]))
    if warning or (call is not None and not both.were_run):
        warnings.warn(f"{warning}\n{both.doubt or ''}".strip(), stacklevel=4)
    return Transfer(found.mapping(), found.missing, found.unused, found.zeros(), proof.equal)


@dataclass(frozen=True, slots=True)
class _Usages:
    """How both models use their tensors, as far as is known.

    `were_run` says whether both models could be run; `doubt` says how the user can help if the other
    model could not, or if the order of its inputs is a guess.
    """

    ours: Usage
    theirs: Usage
    were_run: bool
    doubt: str | None = None

    def misfit(self, missing: Sequence[str], unused: Sequence[str]) -> ValueError:
        """Return the error that names the tensors that do not fit and says what to do."""
        faults = lists(
            ("no weights for", shapes(missing, self.ours.tensors)),
            ("unused weights", shapes(unused, self.theirs.tensors)),
        )
        cures = "".join(f"\n- {cure}" for cure in self._advice(missing, unused))
        return ValueError(f"the weights do not fit: {'; '.join(faults)}{cures}")

    def order_advice(self, guessed: Sequence[str]) -> Iterator[str]:
        """Yield which tensors may be in another order in the other model, and what to do."""
        why = "their order is a guess, as several have one shape and use"
        yield from lists((why, shapes(guessed, self.ours.tensors)))
        if self.doubt is not None:
            yield self.doubt
        example = ", ".join(f'"{key}": ...' for key in guessed[:2])
        yield f"give their keys in the other model: keys={{**transfer.mapping, {example}}}"
        yield "strict=False copies them in this order, and returns the transfer with that mapping"

    def _advice(self, missing: Sequence[str], unused: Sequence[str]) -> Iterator[str]:
        theirs = {part.shape for parts in self.theirs.parts.values() for part in parts}
        odd = [
            key for key in missing if all(part.shape not in theirs for part in self.ours.parts[key])
        ]
        some = 0 < len(missing) < len(self.ours.tensors)  # all tensors together feed no others
        if some and self.were_run and self.ours.are_last(missing):
            yield f"{missing[0]} feeds no other weights, so it may be a head that only the graph has"
        elif odd and unused:
            yield f"the other model has no weight of the shape of {odd[0]}: do their sizes differ?"
        if self.doubt is not None:
            yield self.doubt
        if unused and not missing and self.were_run:
            yield "without the unused weights no output of the graph equals one of the other model"
        if self.ours.tensors.keys() & self.theirs.tensors.keys():
            yield OF_OLDER
        yield "strict=False copies the weights that fit; the result names them and the others"


def _usages(
    graph: TypedGraph,
    mine: Call,
    other: nn.Module | Mapping[str, Tensor],
    call: Call | None,
    sample: Mapping[str, Tensor],
) -> _Usages:
    """Return how both models use their tensors; if the other one cannot be run, in order of definition."""
    inputs = mine.inputs(sample)
    if call is None:
        assert not isinstance(other, nn.Module)
        theirs = defined(unique_tensors(other))
        doubt = "a state_dict has only names and order: give the module itself"
        return _Usages(_in_parts(mine, inputs), theirs, False, doubt)
    given = call.inputs(sample)
    try:
        theirs = usage_of(call.module, lambda: call.run(given), given)
    except Exception as error:  # noqa: BLE001 - the user's module may raise anything
        doubt = (
            f"{type(call.module).__name__} does not run on the inputs of {graph.name}, so weights are"
            f" matched in order of definition: {first_line(error)}\n{call.hint()}"
        )
        theirs = defined(own_tensors(call.module))
        return _Usages(_in_parts(mine, inputs), theirs, False, doubt)
    known = {name: tensor for name, tensor in inputs.items() if name in call.named}
    return _Usages(
        usage_of(mine.module, lambda: mine.run(inputs), known),
        theirs,
        True,
        call.hint() if call.is_guessed() else None,
    )


def _without_indices(both: _Usages) -> _Usages:
    """Return both usages without buffers of the other model that hold indices, such as the places of
    relative positions in their table, if the graph has no such buffer, as it computes them."""
    if _indices(both.ours):
        return both
    return replace(both, theirs=both.theirs.without(_indices(both.theirs)))


def _indices(usage: Usage) -> set[str]:
    """Return the tensors of whole numbers that are not counters, which have no axis."""
    return {
        k for k, tensor in usage.tensors.items() if tensor.dim() and tensor.dtype == torch.int64
    }


def _in_parts(mine: Call, inputs: Mapping[str, Tensor]) -> Usage:
    """Return the graph's tensors in order of definition, with the parts in which they are used."""
    usage = defined(own_tensors(mine.module))
    with suppress(RuntimeError):  # torch may be unable to, in half precision or without memory
        used = usage_of(mine.module, lambda: mine.run(inputs), inputs)
        usage = in_parts(usage, used)
    return usage


def _own(model: nn.Module) -> set[str]:
    """Return the tensors of the model and its blocks themselves, which are in no layer of torch."""
    return {
        f"{path}.{name}" if path else name
        for path, module in model.named_modules()
        if not type(module).__module__.startswith("torch.")
        for name in (*module._parameters, *module._buffers)
    }


def _difference(proof: OutputComparison, call: Call | None, sample: Mapping[str, Tensor]) -> str:
    far = ", ".join(f"{name} by {distance:.2%}" for name, distance in proof.different.items())
    message = f"with these weights, outputs differ from outputs of the other model: {far}"
    left = [name for name in sample if call is not None and name not in call.named]
    return f"{message}; it was not given {', '.join(left)}" if left else message
