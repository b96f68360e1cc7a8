"""The difference of two graphs: empty if they are equal, else the changes and their effects."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.compare.compare import difference
from mimgraph.compare.equality import same
from mimgraph.compare.model import Difference
from tests.fuzz.seeds import places
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.test_graph import BASE, DIFFERENT, SAME, variant


def compared(old: str, new: str) -> Difference:
    return difference(mg.loads(old).typed, mg.loads(new).typed)


def test_equal_graphs_do_not_differ() -> None:
    differ = [name for name, change in SAME.items() if compared(BASE, variant(change))]
    assert differ == []


def test_graphs_that_are_not_equal_differ() -> None:
    texts = {name: variant(change) for name, change in DIFFERENT.items()}
    pairs = {name: (compared(BASE, text), compared(text, BASE)) for name, text in texts.items()}
    assert [name for name, both in pairs.items() if not all(both)] == []


@st.composite
def edited(draw: st.DrawFn, spec: Spec) -> str:
    """Draw an edited spec as text; it may be invalid."""
    tree: Any = copy.deepcopy(spec)
    kind = draw(st.sampled_from(["number", "number", "text", "key", "item", "name"]))
    if kind == "name":
        name = draw(st.sampled_from(list(tree["nodes"])))
        return re.sub(rf"\b{name}\b", f"{name}_new", to_yaml(tree))
    for _ in range(draw(st.integers(1, 2))):
        every = list(places(tree))
        values = [holder[key] for holder, key in every]
        fitting = {
            "number": [p for p, v in zip(every, values, strict=True) if type(v) is int],
            "text": [p for p, v in zip(every, values, strict=True) if isinstance(v, str)],
            "key": [p for p in every if isinstance(p[1], str)],
            "item": [p for p in every if isinstance(p[0], list)],
        }[kind]
        assume(fitting)
        holder, key = draw(st.sampled_from(fitting))
        if kind == "number":
            holder[key] = draw(st.integers(1, 9))
        elif kind == "text":
            holder[key] = draw(st.sampled_from([v for v in values if isinstance(v, str)]))
        else:
            del holder[key]
    return to_yaml(tree)


def graph(text: str) -> mg.Graph:
    """Return the graph of a text; hypothesis drops an invalid one."""
    try:
        return mg.loads(text)
    except mg.SpecError:
        assume(False)
        raise


def check(old: mg.Graph, new: mg.Graph) -> None:
    """Check that graphs differ unless they are equal, also with old and new swapped."""
    there, back = difference(old.typed, new.typed), difference(new.typed, old.typed)
    assert bool(there) == bool(back) == (not same(old.typed, new.typed))
    assert any(change.status != "follows" for change in there.changes) == bool(there)
    assert there.costs == back.costs[::-1]


@settings(max_examples=40, deadline=None)
@given(st.data(), specs())
def test_a_spec_and_an_edit_of_it(data: st.DataObject, spec: Spec) -> None:
    check(graph(to_yaml(spec)), graph(data.draw(edited(spec))))


@settings(max_examples=20, deadline=None)
@given(specs(), specs())
def test_two_unrelated_specs(one: Spec, other: Spec) -> None:
    check(graph(to_yaml(one)), graph(to_yaml(other)))


def test_items_of_one_op_in_a_long_chain_are_compared_by_position() -> None:
    """Comparing each with each would take minutes."""

    def spec(width: int) -> str:
        items = [f"{{Linear: {width + i % 2}}}" for i in range(2_000)]
        return f"inputs: {{x: [4]}}\nnodes: {{y: {{from: x, seq: [{', '.join(items)}]}}}}\noutputs: y\n"

    found = compared(spec(4), spec(6))
    assert [c.name for c in found.changes if c.status == "changed"] == [
        f"y.{i}" for i in range(2_000)
    ]


def test_blocks_used_in_blocks_are_compared_once() -> None:
    """Each block uses the one before twice: 4,096 nodes, listed as one change."""

    def spec(activation: str) -> str:
        rows = [
            f"  b0: {{inputs: [x], nodes: {{r: {{layer: {activation}, from: x}}}}, outputs: r}}"
        ]
        for i in range(1, 13):
            use = f"block: b{i - 1}, from"
            nodes = f"{{p: {{{use}: x}}, q: {{{use}: p}}}}"
            rows.append(f"  b{i}: {{inputs: [x], nodes: {nodes}, outputs: q}}")
        blocks = "\n".join(rows)
        return f"inputs: {{x: [4]}}\nblocks:\n{blocks}\nnodes: {{y: {{block: b12, from: x}}}}\noutputs: y\n"

    (change,) = compared(spec("ReLU"), spec("Tanh")).changes
    assert (change.shown_name, change.times) == ("b0.r", 4096)
    assert change.name == ".".join(["y", *"pppppppppppp", "r"])


@pytest.mark.slow
def test_thousands_of_renamed_nodes_are_found() -> None:
    """Some are in a row, the others all read one source."""

    def spec(name: str) -> str:
        rows = [f"  {name}0: {{layer: ReLU, from: x}}"]
        for i in range(1, 500):
            layer = "Tanh" if i % 3 else "ReLU"
            rows.append(f"  {name}{i}: {{layer: {layer}, from: {name}{i - 1}}}")
        for i in range(30):
            sources = [f"{name}_{i}_{j}" for j in range(100)]
            rows += [f"  {source}: {{layer: ReLU, from: x}}" for source in sources]
            rows.append(f"  {name}_{i}: {{merge: add, from: [{', '.join(sources)}]}}")
        sums = ", ".join(f"{name}_{i}" for i in range(30))
        rows.append(f"  sum: {{merge: add, from: [{name}499, {sums}]}}")
        return "\n".join(["inputs: {x: [4]}", "nodes:", *rows, "outputs: sum", ""])

    found = compared(spec("old"), spec("new"))
    assert len(found.changes) == 3_530
    assert all(c.was.replace("old", "new") == c.name and not c.edits for c in found.changes)


def test_another_search_is_a_change_of_the_param() -> None:
    spec = "params: {w: SPACE}\ninputs: {x: [4]}\nnodes: {y: {layer: Linear, from: x, out_features: $w}}\noutputs: y\n"

    def changed(old: str, new: str) -> list[tuple[str, object, object]]:
        found = difference(*(mg.loads(spec.replace("SPACE", one)).typed for one in (old, new)))
        changes = [one for one in found.inside.changes if one.kind == "param"]
        return [(edit.what, edit.old, edit.new) for one in changes for edit in one.edits]

    assert changed("8", "8") == []
    assert changed("8", "{search: [8, 16]}") == [("search", None, "[8, 16]")]
    assert changed("{search: [8, 16]}", "{search: [16, 8]}") == [
        ("value", 8, 16),
        ("search", "[8, 16]", "[16, 8]"),
    ]
    assert changed("{search: [8, 16]}", "{search: [8, 16], default: 8}") == []
