"""Compare the outputs of two models that have the same weights, for the same inputs."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mimgraph.runtime.weight_transfer.calls import Call
from mimgraph.runtime.weight_transfer.watch_forward import predicting, tensors_in

# how far apart equal outputs may be: this many epsilons of the dtype to which weights were rounded,
MAX_EPSILONS = 1e3
MAX_DIFFERENCE = 0.05  # but never more than this share
MAX_MASKS = 3  # masks for which both meanings are tried


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """Which of our outputs equal an output of the other model, and how much the others differ."""

    equal: tuple[str, ...]
    different: Mapping[str, float]  # the largest difference, as a share of the largest value


def compare_outputs(
    mine: Call, call: Call, samples: Sequence[Mapping[str, Tensor]], names: tuple[str, ...]
) -> OutputComparison:
    """Compare each of our outputs with all outputs of the other model that have its shape.

    They are equal if they are so for one of the samples. The other model may understand a mask as the
    opposite, so both meanings are tried; an input that it does not take is zero here.
    """
    rounded = max((torch.finfo(t.dtype).eps for t in _floats(mine.module)), default=0.0)
    mine, call = _precise(mine), _precise(call)
    tolerance = min(MAX_DIFFERENCE, MAX_EPSILONS * max(rounded, torch.finfo(torch.float32).eps))
    best: OutputComparison | None = None
    for ours, theirs in (pair for inputs in samples for pair in _meanings(call, inputs)):
        found = _compare(mine, call, ours, theirs, names, tolerance)
        if best is None or len(found.different) < len(best.different):
            best = found
        if not best.different:
            break
    assert best is not None
    return best


def with_ends(inputs: Mapping[str, Tensor], vocabularies: Mapping[str, int]) -> dict[str, Tensor]:
    """Return inputs in which each text ends in the last word of its vocabulary, and has it only there.

    A model may look for the end of a text by that word.
    """
    ended = dict(inputs)
    for name, most in vocabularies.items():
        if name in inputs and inputs[name].dim() > 1 and most > 1:
            ended[name] = inputs[name].clamp(max=most - 2)
            ended[name][..., -1] = most - 1
    return ended


def without_padding(
    inputs: Mapping[str, Tensor], vocabularies: Mapping[str, int], module: nn.Module
) -> dict[str, Tensor]:
    """Return inputs in which no text has the module's padding word, which it may not count."""
    pads = {m.padding_idx for m in module.modules() if isinstance(m, nn.Embedding)}
    full = dict(inputs)
    for name, most in vocabularies.items():
        words = [word for word in range(most) if word not in pads]
        if name in inputs and len(words) < most and words:
            full[name] = torch.tensor(words)[inputs[name] % len(words)].to(inputs[name].dtype)
    return full


def _floats(module: nn.Module) -> list[Tensor]:
    return [tensor for tensor in module.state_dict().values() if tensor.is_floating_point()]


def _precise(call: Call) -> Call:
    """Return the call of a float32 copy if the module's own precision would hide differences."""
    coarse = any(tensor.itemsize < 4 for tensor in _floats(call.module))
    return replace(call, module=copy.deepcopy(call.module).float()) if coarse else call


def _meanings(
    call: Call, inputs: Mapping[str, Tensor]
) -> Iterator[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Yield our inputs and theirs, for each meaning that the masks may have in the other model."""
    masks = [name for name, tensor in inputs.items() if tensor.dtype == torch.bool][:MAX_MASKS]
    neutral = {
        name: tensor if name in call.named else torch.zeros_like(tensor)
        for name, tensor in inputs.items()
    }
    for flips in itertools.product((False, True), repeat=len(masks)):
        turned = {name: neutral[name] ^ flip for name, flip in zip(masks, flips, strict=True)}
        yield (
            neutral | {name: mask for name, mask in turned.items() if name not in call.named},
            call.inputs(neutral | turned),
        )


def _compare(
    mine: Call,
    call: Call,
    ours: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
    names: tuple[str, ...],
    tolerance: float,
) -> OutputComparison:
    """Run both models, and compare each of our outputs with its nearest output of the other model."""
    with predicting(mine.module), predicting(call.module):
        before = torch.get_rng_state()  # both draw the same noise
        result = mine.run(mine.inputs(ours))
        torch.set_rng_state(before)
        other = call.run(theirs)
    outputs = result if isinstance(result, dict) else {names[0]: result}
    leaves = tensors_in(other)
    differences = {}
    for name, output in outputs.items():
        candidates = [_difference(output, leaf) for leaf in leaves if leaf.shape == output.shape]
        if candidates and output.is_floating_point():
            differences[name] = min(candidates)
    return OutputComparison(
        tuple(name for name, share in differences.items() if share <= tolerance),
        {name: share for name, share in differences.items() if not share <= tolerance},
    )


def _difference(output: Tensor, other: Tensor) -> float:
    """Return the largest difference, as a share of the largest value."""
    first, second = output.double().cpu(), other.double().cpu()
    scale = max(second.abs().max().item(), 1e-30) if second.numel() else 1.0
    difference = (first - second).abs()
    return (
        float(difference.nan_to_num(float("inf")).max().item() / scale) if second.numel() else 0.0
    )
