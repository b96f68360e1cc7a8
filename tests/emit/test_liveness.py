"""Tensors of an emitted forward live to their last use, and no longer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import mimgraph as mg
from mimgraph.runtime.runner import seeded_inputs
from tests.helpers.cases import each
from tests.helpers.strategies import to_yaml


class Lives(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Records the storages that a forward makes, by number; `alive` are those that live at each op."""

    def __init__(self, kept: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept = {tensor.untyped_storage().data_ptr() for tensor in kept}
        self.made: dict[StorageWeakRef, int] = {}
        self.alive: list[set[int]] = []  # just after each op, while its operands are held
        self.last_use: dict[int, int] = {}
        self.bytes: dict[int, int] = {}
        self.peak = 0  # in bytes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        for tensor in _tensors((args, kwargs)):
            self.use(tensor)
        result = func(*args, **kwargs)
        for tensor in _tensors(result):
            self.use(tensor)
        living = [s for s in self.made if not s.expired()]  # type: ignore[no-untyped-call]
        self.alive.append({self.made[storage] for storage in living})
        self.peak = max(self.peak, sum(self.bytes[self.made[storage]] for storage in living))
        return result

    def use(self, tensor: Tensor) -> None:
        """Record that the next op uses this tensor."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() in self.kept or not storage.nbytes():
            return
        reference = StorageWeakRef(storage)  # type: ignore[no-untyped-call]
        number = self.made.setdefault(reference, len(self.made))
        self.bytes[number] = storage.nbytes()
        self.last_use[number] = len(self.alive)

    def number(self, tensor: Tensor) -> int:
        """Return the number of the storage of a tensor that was used, else -1."""
        return self.made.get(StorageWeakRef(tensor.untyped_storage()), -1)  # type: ignore[no-untyped-call]

    @property
    def overdue(self) -> list[int]:
        """The ops during which something lives that only ops before used."""
        return [
            op
            for op, living in enumerate(self.alive)
            if any(self.last_use[number] < op for number in living)
        ]


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def lives(model: nn.Module, inputs: dict[str, Tensor]) -> Lives:
    """Run one forward without gradients and record its storages."""
    watched = Lives([*inputs.values(), *model.parameters(), *model.buffers()])
    with torch.no_grad(), watched:
        model(**inputs)
    return watched


def compiled(spec: Any, batch: int = 2) -> tuple[nn.Module, dict[str, Tensor]]:
    graph = mg.loads(spec if isinstance(spec, str) else to_yaml(spec))
    return graph.compile().eval(), seeded_inputs(graph.typed, batch, 0, {})


class Hoarder(nn.Module):
    """A forward as it should not be emitted: every result has a name of its own."""

    def forward(self, x: Tensor) -> Tensor:
        a = x.relu()
        b = a.tanh()
        c = b.relu()
        return c + b


def test_lives_finds_what_lives_too_long() -> None:
    watched = lives(Hoarder(), {"x": torch.ones(4)})
    assert watched.alive == [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}]
    assert watched.overdue == [2, 3]


def test_a_thousand_nodes_hold_two_tensors_and_the_input() -> None:
    nodes: dict[str, Any] = {"n0": {"layer": "ReLU", "from": "x"}}
    for number in range(1, 1000):
        before = f"n{number - 1}"
        nodes[f"n{number}"] = (
            {"merge": "add", "from": [before, before]}
            if number % 3
            else {"layer": "Tanh", "from": before}
        )
    watched = lives(*compiled({"inputs": {"x": [8]}, "nodes": nodes, "outputs": "n999"}))
    assert len(watched.alive) == 1000
    assert max(map(len, watched.alive)) <= 2


# how many tensors live at once if a ReLU follows
ACTIVATED = {
    "a + b": 1,
    "a - b": 1,
    "a * b": 1,
    "a / b": 1,
    "a ** b": 2,  # its gradient reads the result
    "sigmoid(a + b)": 2,  # likewise
    "maximum(a, b)": 2,
}


@each("expr, most", ACTIVATED.items())
def test_a_relu_of_arithmetic_is_in_place_and_has_its_gradients(expr: str, most: int) -> None:
    spec = {"merge": "formula", "expr": expr, "from": ["a", "b"], "activation": "ReLU"}
    model, _ = compiled({"inputs": {"a": [8], "b": [8]}, "nodes": {"y": spec}, "outputs": "y"})
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 4, 8, generator=generator)
    a = a.abs() if "**" in expr else a  # a power of a negative number is NaN
    before = a.clone(), b.clone()
    assert max(map(len, lives(model, {"a": a, "b": b}).alive)) == most
    assert torch.equal(a, before[0]) and torch.equal(b, before[1])
    names = {"sigmoid": torch.sigmoid, "maximum": torch.maximum}
    a.requires_grad_(), b.requires_grad_()
    by_hand = F.relu(eval(expr, names, {"a": a, "b": b}))
    expected = torch.autograd.grad(by_hand.sum(), [a, b])
    actual = torch.autograd.grad(model(a=a, b=b).sum(), [a, b])
    torch.testing.assert_close(actual, expected)


@st.composite
def element_wise(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a spec of element-wise nodes, whose sources are any nodes before them."""
    values, unused = ["x", "g"], {"x", "g"}
    nodes: dict[str, Any] = {}
    for number in range(draw(st.integers(2, 25))):
        sources = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))
        unused -= set(sources)
        op = (
            {"layer": draw(st.sampled_from(["ReLU", "Tanh"])), "from": sources[0]}
            if len(sources) == 1
            else {"merge": draw(st.sampled_from(["add", "multiply", "maximum"])), "from": sources}
        )
        nodes[f"n{number}"] = op
        values.append(f"n{number}")
        unused.add(f"n{number}")
    while len(unused) > 1 or unused <= {"x", "g"}:
        first, second = (sorted(unused) * 2)[:2]
        name = f"n{len(nodes)}"
        nodes[name] = {"merge": "add", "from": [first, second]}
        unused = unused - {first, second} | {name}
    return {"inputs": {"x": [3], "g": [3]}, "nodes": nodes, "outputs": unused.pop()}


@settings(max_examples=60, deadline=None)
@given(element_wise())
def test_nothing_lives_past_its_last_use(spec: dict[str, Any]) -> None:
    watched = lives(*compiled(spec))
    assert len(watched.alive) == len(spec["nodes"])
    assert watched.overdue == []


def test_a_loop_does_not_keep_what_it_starts_from() -> None:
    watched = lives(
        *compiled("""
            inputs: {x: [8], g: [8]}
            blocks:
              gated:
                inputs: {h: [8], g: [8]}
                nodes: {product: {merge: multiply, from: [h, g]}}
                outputs: product
            nodes:
              first: {layer: ReLU, from: x}
              side: {layer: Mean, from: first, dim: 1}
              deep: {block: gated, from: [first, g], repeat: 3}
            outputs: {side: side, deep: deep}
        """)
    )
    first = [0 in living for living in watched.alive]  # relu, mean, and three products
    assert first == [True, True, True, False, False]


# a residual network, flat: each node is one op


def residual_spec(stages: int = 3, depth: int = 2, width: int = 8) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        "stem": {"layer": "Conv2d", "from": "image", "out_channels": width, "kernel_size": 3},
    }
    last = "stem"

    def add(name: str, source: Any, **node: Any) -> str:
        nodes[name] = {**node, "from": source}
        return name

    for stage in range(stages):
        channels = width * 2**stage
        for index in range(depth):
            key, stride = f"s{stage}_{index}", 2 if stage and not index else 1
            conv = {"out_channels": channels, "kernel_size": 3, "padding": 1}
            x = add(f"{key}_conv1", last, layer="Conv2d", **conv, stride=stride)
            x = add(f"{key}_norm1", x, layer="BatchNorm2d")
            x = add(f"{key}_relu1", x, layer="ReLU")
            x = add(f"{key}_conv2", x, layer="Conv2d", **conv)
            x = add(f"{key}_norm2", x, layer="BatchNorm2d")
            if stride == 2:
                down = {"layer": "Conv2d", "out_channels": channels, "kernel_size": 1, "stride": 2}
                last = add(f"{key}_down", last, **down)
            x = add(f"{key}_sum", [x, last], merge="add")
            last = add(f"{key}_relu2", x, layer="ReLU")
    add("pool", last, layer="Mean", dim=[2, 3])
    add("logits", "pool", layer="Linear", out_features=10)
    return {"inputs": {"image": [3, 34, 34]}, "nodes": nodes, "outputs": "logits"}


class ByHand(nn.Module):
    """The same ops on the same modules, each local rebound or deleted as soon as it can be."""

    def __init__(self, model: nn.Module, stages: int = 3, depth: int = 2) -> None:
        super().__init__()
        self.model = model
        self.blocks = [(stage, index) for stage in range(stages) for index in range(depth)]

    def forward(self, image: Tensor) -> Tensor:
        part = self.model.get_submodule
        x = part("stem")(image)
        for stage, index in self.blocks:
            key = f"s{stage}_{index}"
            y = part(f"{key}_conv1")(x)
            if stage and not index:
                x = part(f"{key}_down")(x)
            y = part(f"{key}_norm1")(y)
            y = F.relu(y)
            y = part(f"{key}_conv2")(y)
            y = part(f"{key}_norm2")(y)
            x = y + x
            del y
            x = F.relu(x)
        x = x.mean((2, 3))
        return part("logits")(x)  # type: ignore[no-any-return]


def test_a_residual_network_holds_nothing_past_its_last_use() -> None:
    model, inputs = compiled(residual_spec())
    watched, by_hand = lives(model, inputs), lives(ByHand(model), inputs)
    assert watched.overdue == []
    assert len(watched.alive) == len(by_hand.alive)
    assert watched.peak <= by_hand.peak
