"""Serve previews of open specs: each is drawn in a thread of its own, so that no keystroke waits for it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import from_fs_path

if TYPE_CHECKING:
    from mimgraph.editor.preview.live_picture import LivePicture
    from mimgraph.editor.preview.page_server import PageServer
    from mimgraph.editor.server.documents import Document
    from mimgraph.editor.server.spec_server import SpecServer


@dataclass(eq=False)
class Preview:
    """A preview of a document: its picture, its pages, and the event that there is something to draw."""

    live: LivePicture
    pages: PageServer
    news: Event = field(default_factory=Event)

    def start(self) -> None:
        """Draw and serve from now on."""
        self.news.set()
        for work in (self.pages.serve_forever, self._draw):
            Thread(target=work, daemon=True).start()

    def show(self, text: str | None) -> None:
        """Draw this text soon, or the file for None; of several texts in a row only the last is drawn."""
        self.live.text = text
        self.news.set()

    def _draw(self) -> None:
        while self.news.wait():
            self.news.clear()
            self.live.draw()


@dataclass(eq=False)
class Previews:
    """The previews that the user has asked for, by the URI of their documents."""

    server: SpecServer
    open: dict[str, Preview] = field(default_factory=dict)

    def address(self, document: Document) -> str:
        """Return the address of the preview of a document, which is started if there is none."""
        found = self.open.get(document.uri)
        if found is None:
            found = self.open[document.uri] = self._made(document)
            found.start()
        return found.pages.address

    def _made(self, document: Document) -> Preview:
        from mimgraph.editor.preview.live_picture import LivePicture
        from mimgraph.editor.preview.page_server import PageServer

        live = LivePicture(document.file.name, {}, {}, self.server.documents.texts)
        live.text = document.file.text
        loop = asyncio.get_running_loop()

        def open_line(file: str, line: int, column: int) -> None:
            loop.call_soon_threadsafe(self._show, document.uri, file, line, column)

        return Preview(live, PageServer(live, 0, open_line))

    def _show(self, uri: str, file: str, line: int, column: int) -> None:
        """Show a line in the editor, if it can."""
        if not self.server.can_show_documents:
            return
        preview = self.open.get(uri)
        if preview is None or file != preview.live.path:
            uri = from_fs_path(os.path.abspath(file)) or uri
        at = types.Position(line - 1, column - 1)
        params = types.ShowDocumentParams(uri, take_focus=True, selection=types.Range(at, at))
        self.server.window_show_document(params, lambda answer: None)

    def changed(self, document: Document) -> None:
        """Draw a new version of a document, and the specs that may have it as a part."""
        for uri, preview in self.open.items():
            if uri == document.uri:
                preview.show(document.file.text)
            elif document.path in preview.live.files:
                preview.news.set()

    def closed(self, uri: str) -> None:
        """Show the file of a document that is closed."""
        if uri in self.open:
            self.open[uri].show(None)

    def cursor(self, document: Document, line: int) -> None:
        """Show where the cursor is in all previews that show the document."""
        for preview in self.open.values():
            preview.live.show_cursor(document.file.name, line)
