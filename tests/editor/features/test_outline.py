"""The outline has all that a spec declares, also while it is half written; what has several lines folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from mimgraph.editor.features.outline import Fold, Symbol, folds, symbols
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import check_texts, texts
from tests.helpers.editor import analysed

CASES = Path(__file__).with_name("outline.md")
SPEC, _ = texts(CASES)["a spec"]


def lines(found: Iterable[Symbol], indent: str = "") -> Iterator[str]:
    for one in found:
        yield f"{indent}{one.kind} {one.name} {one.detail}".rstrip()
        yield from lines(one.inside, f"{indent}  ")


def shown(text: str) -> str:
    analysis = analysed(text)
    return "".join(f"{line}\n" for line in lines(symbols(analysis, uses_of(analysis))))


def test_symbols(rewrite: bool) -> None:
    check_texts(CASES, shown, rewrite)
    assert shown("") == shown("- 1\n") == ""


def test_each_span_is_inside_the_whole() -> None:
    analysis = analysed(SPEC)
    waiting = [*symbols(analysis, None)]
    while waiting:
        one = waiting.pop()
        assert one.whole[1:3] <= one.span[1:3] and one.span[3:5] <= one.whole[3:5], one
        waiting += one.inside


def test_folds() -> None:
    assert folds(analysed(SPEC)) == [
        Fold(1, 2, is_comment=True),
        Fold(5, 6),
        Fold(7, 10),
        Fold(8, 10),
        Fold(11, 17),
        Fold(12, 16),
        Fold(14, 16),
    ]
