"""The helps of diagnostics: their text, and that a proposed node or value makes the spec right."""

from __future__ import annotations

import re
from itertools import product

from mimgraph.diagnostics.text import unmarked
from mimgraph.ops import registry
from mimgraph.ops.rule_helpers import fitting
from mimgraph.ops.spelling import from_python
from tests.helpers.cases import each
from tests.helpers.marked import faults, locations

SHAPES = [
    *("[]", "[8]", "[16]", "[T]", "[4, 8]", "[5, 8]", "[8, T]", "[16, T]", "[8, S]", "[T, 8]"),
    *("[8, 32, 32]", "[8, 30, 30]", "[4, 16, 16]", "[8, H, W]", "[T, 4, 8]", "[2, 4, 8, 8]"),
]
_NODE = re.compile(
    r"\{(?:(?:layer|merge): \w+, )?from: (?:\w+|\[[^]]*\])(?:, (?:[^{}]|\{[^}]*\})*)?\}"
)


@each("merge", ["add", "stack", "concat", "multiply, broadcast: true"])
def test_every_proposed_node_makes_two_shapes_fit(merge: str) -> None:
    """Each node in the help is put before one of the two sources."""
    count = 0
    for pair in product(SHAPES, repeat=2):
        head = "inputs: {{a: {}, b: {}}}\nnodes:\n".format(*pair)
        node = f"  y: {{merge: {merge}, from: [a, b]}}\noutputs: y\n"
        for fault in faults(head + node):
            said = ", broadcast: true" if "write broadcast: true" in fault.help else ""
            for proposed in _NODE.findall(fault.help):
                changed = "a" if "from: a" in proposed or "[a" in proposed else "b"
                mended = re.sub(rf"\b{changed}\b", "mended", node).replace("]}", f"]{said}}}")
                text = f"{head}  mended: {proposed}\n{mended}"
                assert locations(text) == [], text
                count += 1
    assert count > 80


WITHOUT_OPTIONS = [
    name
    for name in registry.names("layer")
    if (op := registry.find("layer", name)) is not None and op.required
]


@each("name", WITHOUT_OPTIONS)
def test_a_help_shows_an_item_with_all_required_options(name: str) -> None:
    spec = "inputs: {x: [4, 8, 8]}\nnodes:\n  y: {from: x, seq: [%s]}\noutputs: y\n"
    (missing,) = [fault for fault in faults(spec % name) if fault.code == "missing-option"]
    assert all(option.name in missing.message for option in registry.ops("layer")[name].required)
    item = re.search(rf"\{{{name}: .*\}}$", missing.help)
    assert item is not None, missing.help
    after = faults(spec % item[0])
    assert missing.message not in {other.message for other in after}
    assert not {other.code for other in after} & {"unknown-option", "wrong-type", "yaml-syntax"}


@each(
    "python, yaml",
    [
        ("nn.Linear(8, 5)", "{Linear: 5}"),
        ("Linear(5)", "{Linear: 5}"),
        ("nn.Linear(8, 5, bias=False)", "{Linear: {out_features: 5, bias: false}}"),
        (
            "nn.Conv2d(3, 16, kernel_size=(3, 5))",
            "{Conv2d: {out_channels: 16, kernel_size: [3, 5]}}",
        ),
        ("torch.nn.BatchNorm2d(16)", "BatchNorm2d"),
        ("GroupNorm(4, 16)", "{GroupNorm: 4}"),
        ("MultiheadAttention(64, 8)", "{MultiheadAttention: 8}"),
        ("nn.LSTM(8, 16, 2)", "{LSTM: {hidden_size: 16, num_layers: 2}}"),
        ("GELU(approximate='tanh')", "{GELU: tanh}"),
        ("F.leaky_relu", "LeakyReLU"),
        ("nn.Linear(8, hidden)", "{Linear: ...}"),
        ("nn.Dropout(p=", ""),
        ("nn.Nothing(3)", ""),
        ("(" * 300, ""),
    ],
)
def test_python_as_yaml(python: str, yaml: str) -> None:
    assert unmarked(from_python(python, "item")) == yaml


@each(
    "value, sizes, says",
    [
        (3, (10,), "10, such as 2 or 5"),
        (4, (6, 8), "2, such as 2"),
        (2, (3,), "3, such as 1 or 3"),
        (7, (768,), "768, such as 6 or 8"),
        (5, (2**40,), "1099511627776, such as 4 or 8"),
    ],
)
def test_a_help_lists_the_numbers_that_fit(value: int, sizes: tuple[int, ...], says: str) -> None:
    assert fitting("groups", value, *sizes) == f"groups may be any divisor of {says}"
    says = says.partition(", such as ")[2]
    assert all(size % int(number) == 0 for number in says.split(" or ") for size in sizes)


def test_each_step_of_a_cycle_is_labelled() -> None:
    spec = "inputs: {x: [5]}\nnodes:\n" + "".join(
        f"  n{i}: {{merge: add, from: [x, n{(i - 1) % 12}]}}\n" for i in range(12)
    )
    (fault,) = faults(f"{spec}outputs: n0\n")
    assert (
        fault.message
        == "nodes depend on each other: n0 -> n1 -> n2 -> n3 -> ... -> n10 -> n11 -> n0"
    )
    assert (fault.note, [label.text for label in fault.labels]) == (
        "feeds n1",
        ["feeds n2", "feeds n3", "feeds n11", "feeds n0"],
    )


def test_a_label_shows_the_shape_that_an_option_contradicts() -> None:
    spec = "inputs: {x: [6, 8, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3, groups: 4}\noutputs: y\n"
    (fault,) = faults(spec)
    assert [(label.text, label.span.line) for label in fault.labels] == [("(N, 6, 8, 8)", 1)]
