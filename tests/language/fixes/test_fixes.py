"""Fixes put right what a diagnostic reports, and leave the rest of the text as it is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from mimgraph.language.fixes import READING, UNCOVERED, check, fixed, fixes
from mimgraph.language.text_edits import edited
from mimgraph.source import SourceFile
from tests.helpers.cases import check_texts

CORPUS = Path(__file__).parents[2] / "corpus"
COVERAGE = Path(__file__).parent / "coverage.txt"
CASE = re.compile(r"```yaml\n(.*?)```\n", re.DOTALL)

HEAD = "inputs: {x: [3, 8, 8], v: [5]}\nnodes:\n"


def test_the_first_fix(rewrite: bool) -> None:
    def mended(text: str) -> str:
        file = SourceFile("spec.yaml", text)
        first, *_ = fixes(file, check(file))
        new = edited(file, first[0].edits)
        assert [comment for comment in re.findall("#.*", text) if comment not in new] == []
        return new

    check_texts(Path(__file__).with_name("fixes.md"), mended, rewrite)


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
