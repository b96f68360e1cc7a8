"""Hints stand behind the text that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.editor.analysis import analyse
from mimgraph.editor.features.hints import hints, tooltip
from mimgraph.editor.features.uses import uses_of
from mimgraph.language.files import first_place
from mimgraph.source import SourceFile
from tests.conftest import SPECS
from tests.helpers.cases import check_texts, texts
from tests.helpers.editor import hinted, hints_of, without_hints

CASES = Path(__file__).with_name("hints.md")


def test_hints(rewrite: bool) -> None:
    check_texts(CASES, lambda text: hinted(without_hints(text)), rewrite)


def test_a_tooltip_lists_the_uses_that_disagree() -> None:
    (case,) = texts(CASES)["a block has the types of its first use, and a mark if another differs"]
    text = without_hints(case)
    listed = [tooltip(hint) for hint in hints_of(text) if hint.uses]
    assert listed == ["- `b`: `(N, 8)`\n- `d`: `(N, 3)`", "- `b.y`: `(N, 8)`\n- `d.y`: `(N, 3)`"]


def test_every_node_of_the_gallery_has_a_shape(spec: Path) -> None:
    """All but the items of a chain on one line, and the nodes of blocks that nothing uses."""
    analysis = analyse(SourceFile(str(spec), spec.read_text()), first_place(str(spec)))
    uses = uses_of(analysis)
    assert uses is not None and analysis.declared is not None
    lines = {hint.line for hint in hints(analysis, uses) if hint.kind == "shape"}
    assert lines >= {
        node.span.line
        for node in analysis.declared.nodes
        if node.whole and "\n" not in node.whole.excerpt().text
    }


def test_hints_behind_which_the_text_goes_on_say_so() -> None:
    found = hints_of(
        "inputs: {x: [8], y: [8]}\nnodes: {a: {merge: add, from: [x, y]}}\noutputs: a\n"
    )
    assert [hint.behind for hint in found] == [True, True, True]
    assert not any(hint.behind for hint in hints_of("inputs:\n  x: [8]\nnodes:\noutputs: x\n"))


@pytest.mark.parametrize("path", SPECS[::6], ids=lambda path: path.stem)
def test_the_hints_of_some_lines_are_those_of_all(path: Path) -> None:
    analysis = analyse(SourceFile(str(path), path.read_text()), first_place(str(path)))
    uses = uses_of(analysis)
    every = hints(analysis, uses)
    for line in range(1, len(analysis.file.lines) + 1):
        found = [hint for hint in hints(analysis, uses, range(line, line + 1)) if hint.line == line]
        assert found == [hint for hint in every if hint.line == line]
