"""A hover says what stands at the cursor, in Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimgraph.editor.features.hover.describe import hover
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import check_texts
from tests.helpers.editor import analysed, pointed

SPEC = Path(__file__).with_name("hover.yaml").read_text()


def shown(text: str) -> str | None:
    """Return the hover at the cursor in a text."""
    whole, line, column = pointed(text)
    analysis = analysed(whole)
    found = hover(analysis, uses_of(analysis), Facts(analysis), line, column)
    return found and found.text


def test_hover(rewrite: bool) -> None:
    def page(at: str) -> str:
        marked = at.removesuffix("\n")
        plain = marked.replace("▮", "")
        assert SPEC.count(plain) == 1
        text = shown(SPEC.replace(plain, marked))
        assert text is not None
        return text.replace("```", "~~~") + "\n"

    check_texts(Path(__file__).with_name("hover.md"), page, rewrite)


LIMITED = """
limits: {parameters: 30, macs: 1K, sizes: {T: 5}}
inputs: {x: [T, 4]}
nodes: {y: {layer: Linear, from: x, out_features: 4}}
outputs: y
"""
SHARES = {
    "▮limits": [
        "- `parameters`: 20 of 30 (66%)\n- `macs`: 80 of 1,000 (8%) at T = 5",
        "key `limits`",
    ],
    "para▮meters": ["**parameters** 20 of 30 (66%)", "key `parameters`"],
    "▮30": ["**parameters** 20 of 30 (66%)"],
    "siz▮es": ["key `sizes`"],
}


@pytest.mark.parametrize("at", SHARES)
@pytest.mark.parametrize("most", ["30", "10"])
def test_a_limit_shows_how_much_of_it_is_used(at: str, most: str) -> None:
    """It does so for a graph that exceeds it, too."""
    text = shown(LIMITED.replace(at.replace("▮", ""), at, 1).replace("30", most))
    expected = [
        part.replace("of 30 (66%)", f"of {most} ({2000 // int(most)}%)") for part in SHARES[at]
    ]
    assert text is not None and all(part in text for part in expected), text


def test_a_wrong_graph_has_no_share_of_a_limit() -> None:
    text = shown(LIMITED.replace("para", "pa▮ra").replace("out_features: 4", "out_features: a"))
    assert text is not None and " of 30" not in text
