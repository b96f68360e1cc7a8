"""A live picture stays when nothing can be drawn, and of several texts the newest is drawn."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from mimgraph.editor.preview import live_picture
from mimgraph.editor.preview.drawn import Drawn
from mimgraph.editor.preview.live_picture import LivePicture
from mimgraph.picture.layout import layout
from tests.helpers.cases import each

SPEC = "inputs: {x: [5]}\nnodes:\n  y: {layer: Linear, from: x, out_features: 2}\noutputs: y\n"


@pytest.fixture
def live(tmp_path: Path) -> LivePicture:
    path = tmp_path / "model.yaml"
    path.write_text(SPEC)
    return LivePicture(str(path), {}, {})


def test_a_picture_that_is_too_large_is_a_fault(
    live: LivePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.draw()
    before = live.page
    monkeypatch.setattr(layout, "MOST", 1)
    found = live.draw()
    assert found.page is None and "at most 1 are drawn" in found.faults[0]["message"]
    assert live.page == before
    assert found.node_at("model.yaml", 3) == "y"


LINES = """inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
  b:
    from: a
    seq: [ReLU, Dropout]
outputs: b
"""
NODES = {  # the node at each line, also of what is not typed
    LINES: ["x", None, "a", "b", "b", "b.0", "output b"],
    LINES.replace("Linear", "Liner"): ["x", None, "a", "b", "b", "b", None],
}


@each("text, nodes", NODES.items())
def test_the_nodes_at_lines(live: LivePicture, text: str, nodes: list[str | None]) -> None:
    live.show_text(text)
    assert [live.newest.node_at("model.yaml", line) for line in range(1, 8)] == nodes


def test_of_texts_that_come_while_one_is_drawn_only_the_last_is_drawn(
    live: LivePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on = Event(), Event()
    texts = []

    def slow(analysis: live_picture.Analysis, view: object) -> Drawn:
        texts.append(analysis.file.text)
        begun.set()
        assert goes_on.wait(10)
        return Drawn(None, [], {}, "")

    monkeypatch.setattr(live_picture, "drawn", slow)
    given = [SPEC.replace("2", str(size)) for size in range(1, 10)]
    threads = [Thread(target=live.show_text, args=(text,)) for text in given]
    for thread in threads:
        thread.start()
        assert begun.wait(10)
        while live.text != given[threads.index(thread)]:
            pass
    while live._asked < len(given):
        pass
    goes_on.set()
    for thread in threads:
        thread.join(10)
    assert texts == [given[0], given[-1]]
