"""Take away the heads of tables that have nothing in them: Markdown demands a head, and a reader hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Look at each page after it was read."""
    app.connect("doctree-read", _without_empty_heads)


def _without_empty_heads(app: Sphinx, page: nodes.document) -> None:
    for head in [*page.findall(nodes.thead)]:
        if not head.astext().strip():
            head.parent.remove(head)
