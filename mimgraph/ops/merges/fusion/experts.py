"""Define the mixtures of experts: several networks on the same features, weighted by gates."""

from __future__ import annotations

import itertools
from typing import Any

from mimgraph.ir.code import Code, Comprehension, Name, by_position, call, named_constant
from mimgraph.ir.declared_graph import Block
from mimgraph.ir.lowering import INPUT, MODULE, Lowering, module
from mimgraph.ir.option_types import Depth, Positive
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.arithmetic.agreement import operands
from mimgraph.ops.merges.fusion.features import last, named_inputs, widths
from mimgraph.ops.merges.fusion.sketch import Sketch
from mimgraph.ops.registry import merge, part
from mimgraph.ops.rule_helpers import bad_option, known
from mimgraph.ops.signature import Sources


@merge(family="experts")
def moe(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    num_experts: Depth = 4,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """Experts on all sources, weighted by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.

    Example:
        image: [32]
        text: [16]
        {merge: moe, from: [image, text], out_features: 8}
    """
    sketch = Sketch("MixtureOfExperts", *named_inputs(sources), doc="A dense mixture of experts.")
    options = {"out_features": out_features, "hidden_features": hidden_features, "bias": bias}
    mixture = _Mixture(sketch, sources, "moe", num_experts, **options)
    return sketch.block(mixture.gated("gate", "mixed"))


@merge(family="experts")
def mmoe(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    tasks: tuple[str, ...],
    num_experts: Depth = 4,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """Shared experts, weighted by a separate gate for each task: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each of `tasks` names a port
    (N, *, out_features). The experts are as in `moe`.

    Example:
        user: [32]
        item: [16]
        {merge: mmoe, from: [user, item], out_features: 8, tasks: [click, like]}
    """
    _check_tasks(tasks)
    doc = "Multi-gate mixture of experts (Ma et al. 2018)."
    sketch = Sketch("MultiGateMixtureOfExperts", *named_inputs(sources), doc=doc)
    options = {"out_features": out_features, "hidden_features": hidden_features, "bias": bias}
    mixture = _Mixture(sketch, sources, "mmoe", num_experts, **options)
    ports = {task: mixture.gated(f"gate_{task}", f"mixed_{task}") for task in tasks}
    return sketch.block(**ports)


def _check_tasks(tasks: tuple[str, ...]) -> None:
    """Refuse tasks that cannot be the names of ports and modules."""
    if len(tasks) < 2 or len(set(tasks)) < len(tasks):
        raise bad_option("tasks", "tasks lists two names or more, each once")
    for task in tasks:
        if not (task.isascii() and task.isidentifier()):
            raise bad_option("tasks", f"{task!r} cannot name a port", "letters, digits and _")


class _Mixture:
    """Adds experts and gates on the concatenated sources to a sketch."""

    def __init__(
        self,
        sketch: Sketch,
        sources: Sources,
        name: str,
        num_experts: int,
        **options: Any,
    ) -> None:
        widths(operands(sources, name, least=1), name)
        self.sketch = sketch
        self.num_experts = num_experts
        self.letters = "tuvw"[: len(sources[0].dims) - 1]
        self.x = sketch.inputs[0]
        if len(sources) > 1:
            self.x = sketch.merge("joined", "concat", sketch.inputs, dim=last(sources[0]))
        sketch.part("experts", "experts", self.x, num_experts=num_experts, **options)

    def gated(self, gate: str, result: str) -> str:
        """Add a gate and the sum of the experts weighted by it; return the sum."""
        softmax = ("Softmax", {"dim": -1})
        self.sketch.layer(gate, "Linear", self.x, out_features=self.num_experts, activation=softmax)
        equation = f"n{self.letters}e,n{self.letters}eo->n{self.letters}o"
        return self.sketch.merge(result, "einsum", (gate, "experts"), equation=equation)


@part()
def experts(
    input: TensorType,
    /,
    num_experts: int,
    out_features: int,
    hidden_features: int | None,
    bias: bool,
) -> Lowering:
    """Networks of the same form on one source: (N, *, D) -> (N, *, num_experts, out_features)."""
    *lead, size = input
    in_features = known(size, "in_features")
    sizes = [in_features, *([hidden_features] if hidden_features else []), out_features]
    linears = [_linear(a, b, bias) for a, b in itertools.pairwise(sizes)]
    made = linears[0]
    if hidden_features:
        made = call("nn.Sequential", linears[0], call("nn.ReLU"), linears[1])
    times = call("range", named_constant("num_experts", num_experts))
    each = Comprehension(call(Name("expert"), INPUT), ("expert",), MODULE)
    return Lowering(
        input.like(*lead, num_experts, out_features),
        module(
            "ModuleList",
            _weights(num_experts, sizes, bias),
            modules=Comprehension(made, ("_",), times),
        ),
        call=call("torch.stack", each, named_constant("dim", len(lead) + 1)),
        products=tuple(
            (num_experts, *input.shape[:-1], a, b) for a, b in itertools.pairwise(sizes)
        ),
    )


def _linear(in_features: int, out_features: int, bias: bool) -> Code:
    """Return the code `nn.Linear(32, 64)`."""
    sizes = by_position(in_features=in_features, out_features=out_features)
    return call("nn.Linear", *sizes, **({} if bias else {"bias": False}))


def _weights(count: int, sizes: list[int], bias: bool) -> dict[str, tuple[int, ...]]:
    """Return the weights of all experts; each is a Linear, or a Sequential with Linears 0 and 2."""
    found: dict[str, tuple[int, ...]] = {}
    for expert in range(count):
        for index, (before, after) in enumerate(itertools.pairwise(sizes)):
            key = f"{expert}." if len(sizes) == 2 else f"{expert}.{2 * index}."
            found[f"{key}weight"] = (after, before)
            if bias:
                found[f"{key}bias"] = (after,)
    return found
