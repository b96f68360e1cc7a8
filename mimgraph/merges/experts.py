"""Mixtures of experts: the same features seen by several networks, weighed by gates."""

from __future__ import annotations

from mimgraph.catalogue import Sources, bad_option, merge
from mimgraph.ir.graph import Block
from mimgraph.ir.option_types import Depth, Positive
from mimgraph.merges.agreement import operands
from mimgraph.merges.features import last, numbered, widths
from mimgraph.merges.sketch import Sketch


@merge()
def moe(
    sources: Sources,
    /,
    out_features: Positive,
    *,
    num_experts: Depth = 4,
    hidden_features: Positive | None = None,
    bias: bool = True,
) -> Block:
    """Experts on all sources, weighed by a softmax gate: n x (N, *, D_i) -> (N, *, out_features).

    A dense mixture (Jacobs et al. 1991) of x = [x0, ..., xn]: the sum over the experts of
    softmax(W x)_i * expert_i(x). An expert is a Linear; with `hidden_features` it is two of them
    with a ReLU between.

    Example:
        image: [32]
        text: [16]
        {merge: moe, from: [image, text], out_features: 8}
    """
    names = numbered(len(sources))
    sketch = Sketch("MixtureOfExperts", *names, doc="A dense mixture of experts.")
    mixture = _Mixture(sketch, sources, "moe")
    mixture.experts(num_experts, hidden_features, out_features, bias)
    return sketch.block(mixture.gated("gate", "mixed"))


@merge()
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
    """Shared experts, weighed for each task by a gate of its own: n x (N, *, D_i) -> a port a task.

    Multi-gate mixture of experts (Ma et al. 2018), without the towers: each port, called as in
    `tasks`, is (N, *, out_features). The experts are those of `moe`.

    Example:
        user: [32]
        item: [16]
        {merge: mmoe, from: [user, item], out_features: 8, tasks: [click, like]}
    """
    _check_tasks(tasks)
    names = numbered(len(sources))
    doc = "Multi-gate mixture of experts (Ma et al. 2018)."
    sketch = Sketch("MultiGateMixtureOfExperts", *names, doc=doc)
    mixture = _Mixture(sketch, sources, "mmoe")
    mixture.experts(num_experts, hidden_features, out_features, bias)
    ports = {task: mixture.gated(f"gate_{task}", f"mixed_{task}") for task in tasks}
    return sketch.block(**ports)


def _check_tasks(tasks: tuple[str, ...]) -> None:
    """The names of tasks name ports and modules."""
    if len(tasks) < 2 or len(set(tasks)) < len(tasks):
        raise bad_option("tasks", "tasks names two tasks or more, each once")
    for task in tasks:
        if not (task.isascii() and task.isidentifier()):
            raise bad_option("tasks", f"{task!r} cannot name a port", "letters, digits and _")


class _Mixture:
    """The sources side by side, and what experts and gates make of them."""

    def __init__(self, sketch: Sketch, sources: Sources, name: str) -> None:
        widths(operands(sources, name, least=1), name)
        self.sketch = sketch
        self.axis = len(sources[0].dims)
        names = numbered(len(sources))
        self.x = names[0]
        if len(names) > 1:
            self.x = sketch.merge("joined", "concat", names, dim=last(sources[0]))

    def experts(self, count: int, hidden: int | None, out_features: int, bias: bool) -> None:
        """What every expert says, side by side: (N, *, E, out_features)."""
        names = numbered(count, "expert")
        output = {"out_features": out_features, "bias": bias}
        for name in names:
            if hidden is None:
                self.sketch.layer(name, "Linear", self.x, **output)
            else:
                first = {"out_features": hidden, "bias": bias}
                self.sketch.seq(name, self.x, ("Linear", first), ("ReLU", {}), ("Linear", output))
        self.sketch.merge("experts", "stack", names, dim=self.axis)
        self.count = count

    def gated(self, gate: str, result: str) -> str:
        """The sum of the experts, weighed by a gate."""
        softmax = ("Softmax", {"dim": -1})
        self.sketch.layer(gate, "Linear", self.x, out_features=self.count, activation=softmax)
        letters = "tuvw"[: self.axis - 1]
        equation = f"n{letters}e,n{letters}eo->n{letters}o"
        return self.sketch.merge(result, "einsum", (gate, "experts"), equation=equation)
