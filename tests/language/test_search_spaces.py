"""A param with a search is read and written back; a wrong one is refused at its place."""

from __future__ import annotations

from pathlib import Path

import mimgraph as mg
from mimgraph.ir.declared_values import Choices, Dimension, Floats, Integers
from tests.helpers.cases import each, texts
from tests.helpers.marked import faults, locations, split

REST = "inputs: {x: [4]}\nnodes: {y: {layer: Dropout, from: x, p: 0.5}}\noutputs: y\n"

LEGAL: dict[str, Dimension] = {
    "{search: [64, 128], default: 128}": Choices((64, 128), 128),
    "{search: [64, 128]}": Choices((64, 128), 64),
    '{search: [1, 1.0, true, "1", null]}': Choices((1, 1.0, True, "1", None), 1),
    "{search: [[64, 64], [128]], default: [128]}": Choices(([64, 64], [128]), [128]),
    "{search: {int: [2, 8]}, default: 4}": Integers(2, 8, 4),
    "{search: {int: [2, 8], step: 3}}": Integers(2, 8, 2, 3),
    "{search: {int: [1, 8], log: true}}": Integers(1, 8, 1, log=True),
    "{search: {float: [0, 1]}, default: 1}": Floats(0.0, 1.0, 1.0),
    "{search: {float: [0.1, 0.7], step: 0.2}}": Floats(0.1, 0.7, 0.1, 0.2),
    "{search: {float: [1e-4, 0.1], log: true}, default: 1e-3}": Floats(1e-4, 0.1, 1e-3, log=True),
    "{default: 3, search: {int: [3, 3]}}": Integers(3, 3, 3),
}


@each("text", [*LEGAL])
def test_a_space_is_read_and_written_back(text: str) -> None:
    graph = mg.loads(f"params: {{p: {text}}}\n{REST}")
    found = graph.space["p"]
    assert (repr(found), repr(found.default)) == (repr(LEGAL[text]), repr(LEGAL[text].default))
    assert repr(mg.loads(graph.dumps()).space["p"]) == repr(found)
    assert found.has(found.default)


REFUSED = texts(Path(__file__).with_name("search_refuses.md"))


@each("case", REFUSED)
def test_a_wrong_space_is_refused_at_its_place(case: list[str]) -> None:
    text, expected = split(f"params:\n  width: 4\n  {case[0]}{REST}")
    assert locations(text) == expected


def test_too_many_values_are_refused() -> None:
    text = f"params: {{p: {{search: {[*range(1001)]}}}}}\n{REST}"
    (fault,) = faults(text)
    assert (fault.code, fault.message) == ("too-large", "a search has at most 1,000 values")


def test_a_use_of_a_faulty_param_is_not_reported_too() -> None:
    text = f"params: {{p: {{search: []}}}}\n{REST}".replace("p: 0.5", "p: $p")
    assert [fault.code for fault in faults(text)] == ["bad-option"]


def test_a_block_takes_the_value_of_a_param_of_the_spec() -> None:
    block = "blocks: {b: {params: {p: {search: [4, 8]}}, seq: [{Linear: $p}]}}\n"
    (fault,) = faults(block + REST)
    assert fault.code == "wrong-type"
    assert fault.help == "search a param of the spec, and give its value here: p: $NAME"
