"""Write the pages of the manual that are made from the code, before Sphinx reads any page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from extension import (
    api,
    catalogue,
    commands,
    errors,
    floors,
    gallery,
    highlighting,
    language_keys,
    llms,
    navigation,
    tables,
)
from extension.page import Page
from mimgraph.editor.mcp.plain_markdown import HIDDEN

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# each yields pages; their folders are in .gitignore
GENERATORS = (
    catalogue.pages,
    gallery.pages,
    errors.pages,
    commands.pages,
    api.pages,
    language_keys.pages,
)


def write(folder: Path) -> None:
    """Write all generated pages below a folder; a page that has not changed is left alone, so that
    Sphinx does not read it again, and pages that are made no more are removed."""
    pages = {page.path: page.content for generator in GENERATORS for page in generator()}
    for path, content in pages.items():
        file = folder / path
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    for parent in {(folder / path).parent for path in pages} - {folder}:
        for file in parent.iterdir():
            if file.is_file() and file.relative_to(folder).as_posix() not in pages:
                file.unlink()


def _begin(app: Sphinx) -> None:
    write(Path(app.srcdir))


def _without_hidden(app: Sphinx, name: str, content: list[str]) -> None:
    """Empty the comments that are for the tests; lines keep their numbers."""
    content[0] = HIDDEN.sub(lambda found: "\n" * found[0].count("\n"), content[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    for part in (floors, highlighting, llms, navigation, tables):
        part.setup(app)
    app.connect("builder-inited", _begin)
    app.connect("source-read", _without_hidden)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


__all__ = ["GENERATORS", "Page", "setup", "write"]
