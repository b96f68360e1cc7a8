"""Fixes put right what a diagnostic reports, and leave the rest of the text as it is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mimgraph.language.fixes.find import fixed, fixes
from mimgraph.language.fixes.verify import READING, UNCOVERED, check
from mimgraph.language.text_edits import edited
from mimgraph.source import SourceFile
from tests.helpers.cases import each

CORPUS = Path(__file__).parents[2] / "corpus"
COVERAGE = Path(__file__).parent / "coverage.txt"
CASE = re.compile(r"```yaml\n(.*?)```\n", re.DOTALL)

HEAD = "inputs: {x: [3, 8, 8], v: [5]}\nnodes:\n"
IMAGE = "inputs: {x: [3, 8, 8]}\nnodes:\n"
VECTOR = "inputs: {v: [5]}\nnodes:\n"

# the text of a spec, and the line of it that the first fix of the first diagnostic changes or adds
FIXED = {
    "a layer": (
        VECTOR + "  y: {layer: Liner, from: v, out_features: 2}  # head\noutputs: y\n",
        "  y: {layer: Linear, from: v, out_features: 2}  # head",
    ),
    "a source in a list": (
        VECTOR + "  y: {merge: add, from: [v, vv, v]}\noutputs: y\n",
        "  y: {merge: add, from: [v, v, v]}",
    ),
    "an option": (
        VECTOR + "  y:\n    layer: Linear\n    from: v\n    out_feature: 2 # two\noutputs: y\n",
        "    out_features: 2 # two",
    ),
    "flatten first": (
        HEAD + "  # joined\n  y: {merge: concat, from: [x, v]}\noutputs: y\n",
        "  x_flatten: {layer: Flatten, from: x}",
    ),
    "a projection": (
        VECTOR + "  w: {layer: Linear, from: v, out_features: 4}\n"
        "  y: {merge: add, from: [w, v]}\noutputs: y\n",
        "  v_linear: {layer: Linear, from: v, out_features: 4}",
    ),
    "a param": (
        VECTOR + "  y: {layer: Linear, from: v, out_features: $width}\noutputs: y\n",
        "params: {width: 64}",
    ),
    "an item of a seq": (
        VECTOR + "  y: {from: v, seq: [{Linear: 4}, RELU]}\noutputs: y\n",
        "  y: {from: v, seq: [{Linear: 4}, ReLU]}",
    ),
    "a missing option": (
        IMAGE + "  y: {layer: Conv2d, from: x, out_channels: 8}\noutputs: y\n",
        "  y: {layer: Conv2d, from: x, out_channels: 8, kernel_size: 3}",
    ),
    "an option that follows": (
        VECTOR + "  y: {layer: Linear, from: v, in_features: 7, out_features: 2}\noutputs: y\n",
        "  y: {layer: Linear, from: v, out_features: 2}",
    ),
}


@each("name", [*FIXED])
def test_the_first_fix(name: str) -> None:
    text, line = FIXED[name]
    file = SourceFile("spec.yaml", text)
    first, *_ = fixes(file, check(file))
    new = edited(file, first[0].edits)
    assert line in new.splitlines()
    assert [n for n in re.findall("#.*", text) if n not in new] == []


def test_a_text_that_is_no_yaml_has_no_wild_fixes() -> None:
    file = SourceFile("spec.yaml", "inputs: {x: [5\nnodes: ]")
    assert fixes(file, check(file)) == [[]]


def test_nothing_is_tried_in_a_part_or_for_nothing() -> None:
    file, other = SourceFile("spec.yaml", "inputs: 3"), SourceFile("part.yaml", "inputs: 3")
    assert fixes(file, []) == []
    assert fixes(other, check(file)) == [[] for _ in check(file)]


def test_all_fixes_at_once_remove_nothing() -> None:
    text = HEAD + "  y: {layer: Liner, from: v, out_features: 2}\noutputs: y\n"
    file = SourceFile("spec.yaml", text)
    assert "unused-input" in {one.code for one in check(file)}
    assert fixed(file, check(file)) == text.replace("Liner", "Linear")


@pytest.mark.slow
def test_every_fix_of_the_corpus_mends(rewrite: bool) -> None:
    """Each offered fix removes its diagnostic and adds no error, but one that the wrong name hid."""
    found, mended = Counter[str](), Counter[str]()
    for path in sorted(CORPUS.glob("*.md")):
        for match in CASE.finditer(path.read_text()):
            file = SourceFile("spec.yaml", match[1])
            before = check(file)
            known = Counter((one.code, one.message) for one in before)
            for one, proposed in zip(before, fixes(file, before), strict=True):
                found[one.code] += 1
                mended[one.code] += bool(proposed)
                for fix in proposed:
                    after = check(SourceFile("spec.yaml", edited(file, fix.edits)))
                    left = Counter((two.code, two.message) for two in after)
                    key = (one.code, one.message)
                    assert left[key] < known[key], (match[1], fix)
                    new = {two.code for two in after if two.severity == "error"} - {
                        two.code for two in before
                    }
                    hid = one.code in READING or fix.title.startswith("Replace with")
                    assert new <= (UNCOVERED if hid else set()), (match[1], fix)
    rows = [f"{code}: {mended[code]} of {found[code]}" for code in sorted(found)]
    text = "\n".join([*rows, f"all: {mended.total()} of {found.total()}", ""])
    if rewrite:
        COVERAGE.write_text(text)
    assert COVERAGE.read_text() == text or rewrite
