"""The help for a tensor with the wrong number of axes repairs the spec when it is pasted.

Every layer and merge is given tensors of 0 to 5 axes, with sizes and with names of sizes. Each node
that the help proposes is put in front of the op or in its place, and each layer that it names
replaces the op: the fault must be gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest
import torch

import mimgraph as mg
from mimgraph.diagnostics import Diagnostic
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from tests.conftest import in_ci
from tests.helpers.cases import each
from tests.helpers.marked import faults

SHAPES = [
    *("[]", "[8]", "[T]", "[4, 8]", "[T, 8]", "[4, T]"),
    *("[4, 6, 8]", "[T, S, 8]", "[4, H, W]", "[T, 6, 8]", "[T, S, R]"),
    *("[4, 3, 8, 8]", "[T, 3, 8, 8]", "[3, T, 8, 8]", "[3, 16, 8, 8]", "[T, 3, H, W]"),
    *("[2, 4, 3, 8, 8]", "[T, 4, 3, 8, 8]"),
]
_NODE = re.compile(r"\{(?:layer|merge): \w+, from: (?:\w+|\[[^]]*\])(?:, [^{}]*)?\}")
_FROM = re.compile(r"from: (?:\{[^}]*\}|\[[^]]*\]|[\w.]+)(?:, )?")


def sources(op: Op) -> list[str]:
    """Return as many sources as an op needs."""
    kind, spec = op.inputs.kind, op.inputs
    count = {"one": 1, "many": 2, "named": 2}.get(kind, len(spec.names) - len(spec.optional))
    return [f"x{index}" for index in range(count)]


def spec_of(node: str, names: list[str], shape: str, before: str = "") -> str:
    """Return a spec of one node whose sources have this shape."""
    inputs = ", ".join(f"{name}: {shape}" for name in names)
    mended = f"  mended: {before}\n" if before else ""
    return f"inputs: {{{inputs}}}\nnodes:\n{mended}  y: {node}\noutputs: y\n"


def node_of(op: Op, names: list[str]) -> str:
    """Return the example of an op with other sources."""
    example = _FROM.sub("", op.example[1]).rstrip("} ,")
    closed = example + "}" * (example.count("{") - example.count("}") - 1)
    return f"{closed}, from: {names[0] if len(names) == 1 else '[' + ', '.join(names) + ']'}}}"


def misfits(spec: str, source: str = "") -> list[str]:
    """Return the faults about numbers of axes, or about the text that sets them.

    For a spec that repairs one source of its node: only the faults of that source and its repair.
    """
    return [
        f"{fault.code}: {fault.message}"
        for fault in faults(spec, "torchvision")
        if fault.node != "y"
        or fault.code in ("yaml-syntax", "unknown-source", "unknown-layer")
        or (fault.code == "rank-mismatch" and _text(fault) in (source or _text(fault)))
    ]


def _text(fault: Diagnostic) -> str:
    span = fault.span
    return span.file.line(span.line)[span.column - 1 : span.end_column - 1]


def in_place(node: str, source: str) -> str:
    """Return the node with the repair in front of it for that source."""
    head, word, listed = node.rpartition("from: ")
    return head + word + re.sub(rf"\b{source}\b", "mended", listed)


def repaired(op: Op, names: list[str], shape: str, help: str) -> Iterator[tuple[str, str]]:
    """Yield the spec with each repair that the help proposes, and the source that it repairs, if one."""
    node = node_of(op, names)
    used = re.findall(r"from: (x\d)", help)
    source = used[0] if used else names[0]
    after = re.search(r"(\w+) takes [^;]*, after (\{.*?\})", help)
    if after is not None:
        moved = in_place(as_other(node, op, after[1]), source)
        yield spec_of(moved, names, shape, after[2]), "mended"
    for other in re.findall(r"(\w+) takes \(N", help):
        if after is None:
            renamed = as_other(node, op, other) if other[0].isupper() else node
            yield spec_of(re.sub(r"mode: \w+", f"mode: {other}", renamed), names, shape), ""
    for axis in re.findall(r"with over: (\d)", help):
        if op.kind == "merge":  # which may have several results, so that the output `y` is a fault
            continue
        yield spec_of(node.removesuffix("}") + f", over: {axis}}}", names, shape), ""
    for proposed in _NODE.findall(help):
        if " takes any axes" in help or proposed.startswith("{merge:"):
            yield spec_of(proposed, names, shape), ""
        elif after is None or proposed != after[2]:
            yield spec_of(in_place(node, source), names, shape, proposed), "mended"


def as_other(node: str, op: Op, other: str) -> str:
    """Return the node as another layer of its kind, with sizes for any number of axes."""
    options, word, listed = node.replace(f"layer: {op.name},", f"layer: {other},").rpartition(
        "from: "
    )
    return re.sub(r": \[[^]]*\]", ": 1", options) + word + listed


@cache
def operations() -> list[Op]:
    """Return every layer and merge that has sources and an example."""
    found = [
        registry.find(kind, name) for kind in ("layer", "merge") for name in registry.names(kind)
    ]
    return [op for op in found if op is not None and sources(op) and op.example[1]]


def unrepaired(op: Op) -> Iterator[tuple[str, str]]:
    """Yield each help with a repair that leaves the fault, or with a placeholder that was not filled."""
    names = sources(op)
    for shape in SHAPES:
        for fault in faults(spec_of(node_of(op, names), names, shape), "torchvision")[:1]:
            if fault.code == "rank-mismatch":
                if re.search(r"\{\w+\}", fault.help):
                    yield fault.help, ""
                for mended, source in repaired(op, names, shape, fault.help):
                    if misfits(mended, source):
                        yield fault.help, mended


@pytest.mark.parametrize("step", [in_ci(1, name="all"), pytest.param(10, id="some")])
def test_the_proposed_nodes_repair_the_spec(step: int) -> None:
    wrong = {op.name: [*unrepaired(op)] for op in operations()[::step]}
    wrong = {name: found for name, found in wrong.items() if found}
    assert not wrong, wrong


SYMBOLIC = ["[T, 8]", "[8, T]", "[T, 3, 16]", "[T, S, 8]", "[8, H, W]", "[H, W, 3]", "[T, 3, 8, 8]"]


def test_an_axis_of_unknown_size_is_moved_or_reduced() -> None:
    """Each node that the help of `symbolic-size` writes gives the size that the op must know."""
    count = 0
    for op, shape in product(operations(), SYMBOLIC):
        names = sources(op)
        node = node_of(op, names)
        for fault in faults(spec_of(node, names, shape), "torchvision"):
            found = _NODE.findall(fault.help) if fault.code == "symbolic-size" else []
            for proposed in found:
                source = re.findall(r"from: (x\d)", proposed)[0]
                mended = spec_of(in_place(node, source), names, shape, proposed)
                after = faults(mended, "torchvision")
                text = f"{fault.help}\n{mended}"
                assert not [one for one in after if one.node != "y"], text
                if len(names) == 1:
                    assert after == [], text
                count += 1
    assert count > 50


@pytest.mark.slow
def test_most_misfits_have_help() -> None:
    """Most of the misfits that the table goes through have a help."""
    count = 0
    for op in operations():
        names = sources(op)
        for shape in SHAPES:
            for fault in faults(spec_of(node_of(op, names), names, shape), "torchvision")[:1]:
                count += len(list(repaired(op, names, shape, fault.help)))
    assert count > 1_100


@each(
    "node",
    [
        "{layer: LSTM, from: a, hidden_size: 4}",
        "{layer: GroupNorm, from: a, num_groups: 2}",
        "{merge: attention, from: {query: x, key: a, value: a}}",
    ],
)
def test_help_that_gives_a_tensor_of_the_model_a_batch(node: str) -> None:
    head = "inputs: {x: [4, 8]}\nnodes:\n"
    end = f"  y: {node}\noutputs: [x, y]\n"
    own = "  a: {parameter: [4, 8], init: zeros}\n"
    (fault,) = faults(head + own + end)
    assert fault.code == "rank-mismatch"
    assert fault.help == "give a a batch: {parameter: [4, 8], batched: true, ...}"
    assert faults(head + own.replace("zeros", "zeros, batched: true") + end) == []
    merged = (
        "  p: {parameter: [4, 8], init: zeros}\n  a: {merge: add, from: [x, p], broadcast: true}\n"
    )
    assert faults(head + merged + end) == []


FRAMES = "inputs: {x: [T, 3, 16, 16]}\nnodes:\n  y: {layer: %s, from: x}\noutputs: y\n"


@each(
    "layer, image, volume",
    [
        (
            "Conv2d",
            "out_channels: 4, kernel_size: 3, stride: 2, padding: 1",
            "out_channels: 4, kernel_size: [1, 3, 3], stride: [1, 2, 2], padding: [0, 1, 1]",
        ),
        ("BatchNorm2d", "eps: 1e-4", "eps: 1e-4"),
    ],
)
def test_a_volume_layer_of_one_step_is_the_image_layer_of_each_frame(
    layer: str, image: str, volume: str
) -> None:
    """A volume layer with a kernel of one step equals the image layer on each frame."""
    (fault,) = faults(FRAMES % f"{layer}, {image}")
    moved = _NODE.findall(fault.help)[0]
    spec = (
        "inputs: {x: [T, 3, 16, 16]}\nnodes:\n"
        f"  moved: {moved}\n"
        f"  y: {{layer: {layer[:-2]}3d, from: moved, {volume}}}\n"
        '  back: {layer: Rearrange, from: y, pattern: "n c t h w -> n t c h w"}\noutputs: back\n'
    )
    model = mg.loads(spec).compile()
    alone = mg.loads(
        f"inputs: {{x: [3, 16, 16]}}\nnodes:\n  y: {{layer: {layer}, from: x, {image}}}\noutputs: y\n"
    ).compile()
    state = model.state_dict()
    alone.load_state_dict({n: t.squeeze(2) if t.ndim == 5 else t for n, t in state.items()})
    x = torch.rand(2, 5, 3, 16, 16)
    found = alone(x=x.flatten(0, 1))
    torch.testing.assert_close(model(x=x), found.unflatten(0, (2, 5)))
