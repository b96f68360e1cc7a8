"""A key that is added to the table is read, put in order, completed and described."""

from __future__ import annotations

import pytest

from mimgraph.editor.analysis import analyse
from mimgraph.editor.features.completion.complete import complete
from mimgraph.ir.grammar import BY_NAME, NODE_WORDS, NODES, OPTIONS, PLACES
from mimgraph.language import keys
from mimgraph.language.formatter import formatted
from mimgraph.language.occurrences import find_occurrences
from mimgraph.language.schema import part
from mimgraph.language.yaml_reader import tree_of
from mimgraph.source import SourceFile
from tests.helpers.cases import each
from tests.helpers.marked import faults

SPEC = "inputs:\n  x: {unit: m, shape: [4]}\nnodes:\n  y: {layer: ReLU, from: x}\noutputs: y\n"


def test_values_of_nested_parts_are_places() -> None:
    assert {*BY_NAME.values()} <= {*PLACES}
    assert {key for kind in NODES.values() for key in kind} - {OPTIONS} >= {*NODE_WORDS}


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a key to the inputs of a spec: a row of the table, and its prose."""
    about = PLACES["an input"]
    with_unit = {"shape": about["shape"], "unit": "text", **about}
    monkeypatch.setitem(PLACES, "an input", with_unit)  # type: ignore[arg-type]  # a dict
    key = keys.KEYS["doc"]._replace(about="The unit of its numbers.")
    monkeypatch.setitem(keys.KEYS, "unit", key)
    monkeypatch.setitem(keys.EVERY_KEY, "unit", key)


@pytest.mark.usefixtures("added")
def test_a_key_that_is_added_is_read_and_put_in_order() -> None:
    assert not faults(SPEC)
    text = formatted(SourceFile("model.yaml", SPEC)).text
    assert "x: {shape: [4], unit: m}" in text


@pytest.mark.usefixtures("added")
def test_a_key_that_is_added_is_in_the_schema() -> None:
    assert part("an input")["unit"] == {"type": "string", "description": "The unit of its numbers."}


@pytest.mark.usefixtures("added")
def test_a_key_that_is_added_is_completed() -> None:
    text = SPEC.replace("unit: m", "u")
    found = complete(analyse(SourceFile("model.yaml", text)), None, None, 2, 8)
    assert found is not None
    assert "unit" in [one.label for one in found.proposals]


@pytest.mark.usefixtures("added")
def test_the_params_in_a_key_that_is_added_are_found() -> None:
    text = "params: {u: m}\n" + SPEC.replace("unit: m", "unit: $u")
    found = find_occurrences(tree_of(SourceFile("model.yaml", text)))
    assert [one.defines for one in found.all if one.symbol.name == "u"] == [True, False]


@each("place", [*PLACES])
def test_every_key_of_a_place_has_a_kind_of_value(place: str) -> None:
    assert all(PLACES[place].values())
