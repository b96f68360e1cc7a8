"""Garbage collection is paused while graphs are built."""

import gc
import weakref
from contextlib import suppress

import pytest

import mimgraph as mg
from mimgraph.support.progress import uncollected

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


def test_collection_goes_on_after_a_pause() -> None:
    with uncollected():
        ring = weakref.ref(Ring())
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
