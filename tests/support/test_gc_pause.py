"""Garbage collection is paused while graphs are built, and what they leave is not visited."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

import mimgraph as mg
from mimgraph.support import gc_pause
from mimgraph.support.gc_pause import FEW_OBJECTS, uncollected

pytestmark = pytest.mark.slow

SPEC = """
inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b: {layer: ReLU, from: a}
outputs: b
"""


class Ring:
    """An object that refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.ring = self


@pytest.fixture
def visited(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return the generation of each collection that runs during the test; nothing is frozen in it."""
    generations: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    gc.unfreeze()
    monkeypatch.setattr(gc_pause, "_is_frozen", False)
    gc.callbacks.append(note)
    yield generations
    gc.callbacks.remove(note)
    gc.collect()
    gc.freeze()  # as for the other tests


def many() -> list[list[int]]:
    return [[] for _ in range(2 * FEW_OBJECTS)]


def test_nothing_is_visited_in_a_large_pause_or_right_after_it(visited: list[int]) -> None:
    gc.collect()
    visited.clear()
    with uncollected():
        made = many()
    kept = [[] for _ in range(100)]
    assert visited == []
    assert made and kept


def test_collection_goes_on_after_a_pause() -> None:
    with uncollected():
        ring = weakref.ref(Ring())
        many()
    assert gc.isenabled()
    gc.collect()
    assert ring() is None


def test_collection_stays_off_if_it_was_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_all_is_visited_once_large_pauses_have_made_many_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gc_pause, "MOST_OBJECTS", 5 * FEW_OBJECTS)
    ring = weakref.ref(Ring())
    kept = []
    for _ in range(4):
        with uncollected():
            kept.append(many())
    assert ring() is None


def test_objects_that_a_program_has_frozen_stay_frozen() -> None:
    gc.freeze()
    with uncollected():
        made = many()
    assert made
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("text", [SPEC, SPEC.replace("from: a", "from: q")])
def test_a_graph_and_its_faults_are_freed_without_the_collector(text: str) -> None:
    def load() -> None:
        with suppress(mg.SpecError):
            mg.loads(text)

    load()  # fills the caches
    gc.collect()
    gc.disable()
    try:
        load()
        assert gc.collect() == 0
    finally:
        gc.enable()
