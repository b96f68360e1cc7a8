"""The names of the locals of an emitted forward: each says which node the value is from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import example, given, settings

import mimgraph as mg
from mimgraph.emit.forward import forward
from mimgraph.emit.plan import Plan
from mimgraph.emit.tree import Assign, For, If, Statement
from mimgraph.emit.values import used_ports
from mimgraph.ir.typed_graph import Body, Value, single_nodes
from mimgraph.ir.typed_operations import Each, Leaf, Repeated, unwrap
from mimgraph.ir.typed_walks import bodies
from tests.helpers.cases import check_texts, each
from tests.helpers.strategies import Spec, specs, to_yaml


def test_names_of_locals(rewrite: bool) -> None:
    def statements(spec: str, *_: str) -> str:
        """Return the statements of the forward, without comments."""
        _, _, emitted = mg.loads(spec).source().rpartition("def forward")
        lines = [line.split("  # ")[0].removeprefix(" " * 8) for line in emitted.splitlines()[1:]]
        return "".join(f"{line}\n" for line in lines)

    check_texts(Path(__file__).with_name("local_names.md"), statements, rewrite)


def assignments(statements: Iterable[Statement]) -> Iterator[Assign]:
    """Yield every assignment, those in loops and branches too."""
    for statement in statements:
        match statement:
            case Assign():
                yield statement
            case For(body=body):
                yield from assignments(body)
            case If(body=body, orelse=orelse):
                yield from assignments((*body, *orelse))


def values_with_own_names(body: Body) -> set[Value]:
    """Return the values that several nodes read, or that meet others in a merge or block."""
    readers = Counter(body.outputs.values())
    found = set()
    for node in chain.from_iterable(map(single_nodes, body.nodes)):
        sources = set(node.arguments.values())
        readers.update(sources)
        operation = unwrap(node.operation)
        is_layer = isinstance(operation, Leaf) and operation.kind == "layer"
        if len(sources) > 1 and not is_layer and not isinstance(operation, Repeated):
            found |= sources
    return found | {value for value, count in readers.items() if count > 1}


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(specs())
@example(
    {
        "inputs": {"x": [7, 4], "y": [7, 4]},
        "nodes": {
            "run": {"layer": "ReLU", "from": "x"},
            "fc": {"layer": "Linear", "from": "y", "out_features": 4},
            "tied": {"merge": "matmul", "from": ["run", "fc.weight"]},
            "again": {"share": "run", "from": "fc"},
        },
        "outputs": {"tied": "tied", "again": "again"},
    }
)
def test_what_is_merged_or_read_twice_has_the_name_of_its_node(spec: Spec) -> None:
    for body in bodies(mg.loads(to_yaml(spec)).typed.body):
        targets: dict[str, list[str]] = {}
        for assign in assignments(forward(Plan(body, used_ports(body), as_dict=True))):
            targets.setdefault(assign.node, []).extend(assign.targets)
        for name, port in values_with_own_names(body):
            if name in body.by_name and port not in body.by_name[name].results:
                continue  # a tensor of a layer, as in `x @ self.fc.weight`
            is_item = name in body.by_name and isinstance(body.by_name[name].operation, Each)
            names = targets.get(f"{name}.{port}" if is_item else name)
            own = re.escape(f"{name}_{port}" if is_item else name)
            if names:  # else it is an input or computed where it is read
                assert any(re.fullmatch(rf"{own}(_{port})?(_\d+|_)?", one) for one in names)


@each(
    "node, outputs, comment",
    [
        ("{layer: Chunk, from: x, chunks: 3, dim: -1}", "012", "each (N, T, 4)"),
        ("{layer: Chunk, from: x, chunks: 3, dim: -1}", "02", ""),
        (
            "{layer: Split, from: x, split_size_or_sections: [4, 8], dim: 2}",
            "01",
            "(N, T, 4), (N, T, 8)",
        ),
        ("{layer: Sort, from: x, dim: 1}", ["values", "indices"], "each (N, T, 12)"),
        ("{layer: LSTM, from: x, hidden_size: 2}", ["output", "last"], ""),
    ],
)
def test_the_comment_of_an_unpacked_call_has_all_shapes(
    node: str, outputs: Iterable[str], comment: str
) -> None:
    read = ", ".join(f"o{port}: y.{port}" for port in outputs)
    source = mg.loads(f"inputs: {{x: [T, 12]}}\nnodes:\n  y: {node}\noutputs: {{{read}}}").source()
    (line,) = [line for line in source.splitlines() if re.match(r" +\w+, .* = ", line)]
    assert line.partition("  # ")[2] == comment
