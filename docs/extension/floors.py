"""Draw the floors of `docs/architecture.md` as rows of boxes; its Mermaid would need a script."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FLOOR = re.compile(r"^ *subgraph .*?\n(.*?)\n *end$", re.MULTILINE | re.DOTALL)
BOX = re.compile(r'^ *\w+\["(\w+)<br>(.*)"\]$', re.MULTILINE)


class Mermaid(SphinxDirective):
    """A block of Mermaid: a picture if it is rows of boxes, else its text."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the rows of boxes, or the text."""
        text = "\n".join(self.content)
        rows = [BOX.findall(floor) for floor in FLOOR.findall(text)]
        if not rows or not all(rows):
            return [nodes.literal_block(text, text, language="text")]
        return [nodes.raw("", drawn(rows), format="html")]


def drawn(rows: list[list[tuple[str, str]]]) -> str:
    """Return the rows as nested lists, which a screen reader reads as such."""
    floors = "".join(
        "<li><ul>"
        + "".join(f"<li><code>{escape(name)}</code> {escape(text)}</li>" for name, text in row)
        + "</ul></li>"
        for row in rows
    )
    return f'<ol class="floors">{floors}</ol>'


def setup(app: Sphinx) -> None:
    """Register the directive, which `myst_fence_as_directive` names."""
    app.add_directive("mermaid", Mermaid)
