"""Copy weights from a module that others wrote into the model of a graph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from torch import Tensor, nn

from mimgraph.cost.bind_sizes import checked
from mimgraph.ir.typed import TypedGraph
from mimgraph.runtime.input_ranges import limits
from mimgraph.runtime.runner import choose_sizes, seeded_inputs
from mimgraph.runtime.weight_transfer.calls import Call, call_of
from mimgraph.runtime.weight_transfer.compare_outputs import (
    Likeness,
    likeness,
    with_ends,
    without_padding,
)
from mimgraph.runtime.weight_transfer.conventions import defined, in_parts, joined_in_both
from mimgraph.runtime.weight_transfer.copy_plan import plan, shapes
from mimgraph.runtime.weight_transfer.watch_forward import Usage, once, own_tensors, usage_of
from mimgraph.runtime.weights import lists
from mimgraph.support.arguments import as_mapping, as_plain, as_texts


@dataclass(frozen=True, slots=True)
class Transfer:
    """Tells which tensor came from which, what was left over on either side, and what was proven.

    `mapping` has their key for each of ours, or several in order if ours joins them. `zeros` are our
    joined biases with rows of zeros, as the other model has no bias there. What is `missing` keeps
    the values of the model, `unused` is left over in the other one. `equal` names the outputs that
    are, up to rounding, outputs of the other model.
    """

    mapping: Mapping[str, str | tuple[str, ...]]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    zeros: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


def load_state(
    graph: TypedGraph,
    model: nn.Module,
    other: nn.Module | Mapping[str, Tensor],
    strict: bool,
    inputs: Mapping[str, str] | None,
    sizes: Mapping[str, int] | None,
) -> Transfer:
    """Copy the tensors of `other` into those of the model that are used alike."""
    inputs = as_texts("inputs", inputs, '{"text": "input_ids"}')
    sizes = as_plain("sizes", as_mapping("sizes", sizes, '{"T": 128}'))
    checked(graph, sizes)
    sample = seeded_inputs(graph, 2, 0, choose_sizes(graph, sizes))
    call = call_of(other, sample, inputs) if isinstance(other, nn.Module) else None
    mine = Call(model, {name: name for name in sample}, by_position=False)
    seen = _seen(graph, mine, other, call, sample)
    found = plan(
        seen.ours, seen.theirs, joined_in_both(seen.ours, seen.theirs) if not seen.is_seen else ()
    )
    lacking = [key for key in found.missing if key not in _constants(model)]
    if strict and lacking:
        raise seen.misfit(lacking, found.unused)
    ours, theirs = seen.ours.tensors, seen.theirs.tensors
    before = {key: ours[key].detach().clone() for key in ours if strict and found.unused}
    found.copy(ours, theirs)
    proof = Likeness((), {})
    if call is not None and seen.is_seen and not lacking:
        words = dict(limits(graph.body))
        samples = sample, with_ends(sample, words), without_padding(sample, words, call.module)
        proof = likeness(mine, call, samples, tuple(graph.body.outputs))
    if strict and found.unused and (proof.far or not proof.equal):
        for key, tensor in before.items():
            ours[key].detach().copy_(tensor)
        raise seen.misfit(lacking, found.unused)
    if proof.far:
        told = _difference(proof, call, sample)
        warnings.warn(f"{told}\n{seen.doubt}" if seen.doubt else told, stacklevel=3)
    return Transfer(found.mapping(), found.missing, found.unused, found.zeros(), proof.equal)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Holds what is known of how both models use their tensors: `is_seen` if both were run; `doubt`
    says how to learn more."""

    ours: Usage
    theirs: Usage
    is_seen: bool
    doubt: str | None = None

    def misfit(self, missing: Sequence[str], unused: Sequence[str]) -> ValueError:
        """Return the error that names what does not fit and says what to do."""
        told = lists(
            ("nothing for", shapes(missing, self.ours.tensors)),
            ("left over", shapes(unused, self.theirs.tensors)),
        )
        cures = "".join(f"\n- {cure}" for cure in self._cures(missing, unused))
        return ValueError(f"the weights do not fit: {'; '.join(told)}{cures}")

    def _cures(self, missing: Sequence[str], unused: Sequence[str]) -> Iterator[str]:
        theirs = {part.shape for parts in self.theirs.parts.values() for part in parts}
        odd = [
            key for key in missing if all(part.shape not in theirs for part in self.ours.parts[key])
        ]
        some = 0 < len(missing) < len(self.ours.tensors)  # nothing follows all of them
        if some and self.is_seen and self.ours.are_last(missing):
            yield f"nothing follows {missing[0]}, so it may be a head that only the graph has"
        elif odd and unused:
            yield f"nothing there has the shape of {odd[0]}: have both models the same sizes?"
        if self.doubt is not None:
            yield self.doubt
        if unused and not missing and self.is_seen:
            yield "without what is left over no output of the graph is one of the other model's"
        yield "with strict=False what fits is copied, the rest stays as it is, the result names both"


def _seen(
    graph: TypedGraph,
    mine: Call,
    other: nn.Module | Mapping[str, Tensor],
    call: Call | None,
    sample: Mapping[str, Tensor],
) -> _Seen:
    """Return the tensors of both models in order of use, or of definition if the other one cannot
    be run."""
    inputs = mine.inputs(sample)
    if call is None:
        assert not isinstance(other, nn.Module)
        theirs = defined(once(other))
        doubt = "a state_dict tells names and order only: give the module itself"
        return _Seen(_in_parts(mine, inputs), theirs, False, doubt)
    given = call.inputs(sample)
    try:
        theirs = usage_of(call.module, lambda: call.run(given), given)
    except Exception as error:  # noqa: BLE001 - a module of others raises what it likes
        trouble = f"{type(call.module).__name__} does not run on the inputs of {graph.name}"
        warnings.warn(
            f"{trouble}, so weights are mapped in order of definition: {error}\n{call.hint()}",
            stacklevel=4,
        )
        theirs = defined(own_tensors(call.module))
        doubt = f"{trouble}; {call.hint()}"
        return _Seen(_in_parts(mine, inputs), theirs, False, doubt)
    known = {name: tensor for name, tensor in inputs.items() if name in call.named}
    return _Seen(
        usage_of(mine.module, lambda: mine.run(inputs), known),
        theirs,
        True,
        call.hint() if call.is_guessed() else None,
    )


def _in_parts(mine: Call, inputs: Mapping[str, Tensor]) -> Usage:
    """Return the model's tensors in order of definition, with the parts in which they are used."""
    usage = defined(own_tensors(mine.module))
    with suppress(RuntimeError):  # torch may not run it here, in half precision or without memory
        used = usage_of(mine.module, lambda: mine.run(inputs), inputs)
        usage = in_parts(usage, used)
    return usage


def _constants(model: nn.Module) -> set[str]:
    """Return the buffers with fixed values of the model or a block of it, unlike the counters of a
    layer."""
    return {
        f"{path}.{name}" if path else name
        for path, module in model.named_modules()
        if not type(module).__module__.startswith("torch.")
        for name, _ in module.named_buffers(recurse=False)
    }


def _difference(proof: Likeness, call: Call | None, sample: Mapping[str, Tensor]) -> str:
    far = ", ".join(f"{name} by {distance:.2%}" for name, distance in proof.far.items())
    told = f"with these weights outputs differ from those of the other model: {far}"
    left = [name for name in sample if call is not None and name not in call.named]
    return f"{told}; it was not given {', '.join(left)}" if left else told
