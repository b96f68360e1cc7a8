"""Both parsers read the same texts with the same values, and refuse the same texts."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mimgraph.diagnostics import Diagnostic
from mimgraph.language import yaml_reader
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from tests.language.yaml_tree.reading import covered, parts, read, value_of

PIECES = [
    *"ab1:-?,[]{}&*!|>'\"%@#é\n\r\x85\u2028 ",
    *("  ", "\n  ", ": ", "- ", "---\n", "...\n"),
]
yaml_text = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(yaml_text | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    file = SourceFile("spec.yaml", text)
    found: list[Diagnostic] = []
    tree = compose(file, lambda fault, *_: found.append(fault))
    assert tree is not None or found
    spans = [fault.span for fault in found] + ([part.span for part in parts(tree)] if tree else [])
    for span in spans:
        assert 1 <= span.line <= span.end_line <= len(file.lines)
        assert 1 <= span.column <= len(file.line(span.line)) + 1
        assert 1 <= span.end_column <= len(file.line(span.end_line)) + 1
        assert span[1:3] <= span[3:5]


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="libyaml is absent")
@given(yaml_text)
def test_the_parsers_agree(text: str) -> None:
    trees = []
    for loader in (yaml.BaseLoader, yaml.CBaseLoader):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_reader, "PARSER", loader)
            trees.append(read(text)[0])
    # libyaml puts an empty value behind the comment that follows
    pure, quick = (
        tree and [(value_of(part), covered(part.span) and part.span[1:3]) for part in parts(tree)]
        for tree in trees
    )
    assert pure is None or quick is None or pure == quick
