"""What changed between two graphs: nothing if they are equal, else the causes and what follows."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import mimgraph as mg
from mimgraph.analysis.changes import Change, Difference
from mimgraph.analysis.difference import difference
from mimgraph.analysis.equality import same
from tests.fuzz.seeds import places
from tests.strategies import Spec, specs, to_yaml
from tests.test_graph import BASE, DIFFERENT, SAME, variant


def compared(old: str, new: str) -> Difference:
    return difference(mg.loads(old).typed, mg.loads(new).typed)


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_equal_graphs_do_not_differ(change: tuple[str, str]) -> None:
    assert not compared(BASE, variant(change))


@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT)
def test_other_graphs_do(change: tuple[str, str]) -> None:
    assert compared(BASE, variant(change))
    assert compared(variant(change), BASE)


@st.composite
def edited(draw: st.DrawFn, spec: Spec) -> str:
    """The spec as text after something was done to it, which need not be legal any more."""
    tree: Any = copy.deepcopy(spec)
    kind = draw(st.sampled_from(["number", "number", "text", "key", "name"]))
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
    """A graph of a text that may not be legal."""
    try:
        return mg.loads(text)
    except mg.SpecError:
        assume(False)
        raise


def check(old: mg.Graph, new: mg.Graph) -> None:
    """Equal graphs have no difference, others one; back it is the same, the other way round."""
    there, back = difference(old.typed, new.typed), difference(new.typed, old.typed)
    assert bool(there) == bool(back) == (not same(old.typed, new.typed))
    assert any(change.status != "follows" for change in there.changes) == bool(there)
    assert there.params == back.params[::-1]
    statuses = [{c.name for c in d.changes if c.status == s and c.times == 1} for d, s in ((there, "added"), (back, "removed"))]


@settings(max_examples=60, deadline=None)
@given(st.data(), specs())
def test_a_spec_and_what_was_made_of_it(data: st.DataObject, spec: Spec) -> None:
    check(graph(to_yaml(spec)), graph(data.draw(edited(spec))))


@settings(max_examples=20, deadline=None)
@given(specs(), specs())
def test_specs_that_have_little_in_common(one: Spec, other: Spec) -> None:
    check(graph(to_yaml(one)), graph(to_yaml(other)))
