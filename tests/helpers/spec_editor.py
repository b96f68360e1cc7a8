"""An editor for tests of the language server: opens, changes and closes specs, and waits for diagnostics."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from pytest_lsp import LanguageClient


class Editor:
    """An editor whose documents are in a folder, with the codes that each file shows."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri() if "." in name else f"untitled:{name}"

    def open(self, name: str, text: str, language: str = "yaml") -> None:
        self.versions[name] = 1
        item = types.TextDocumentItem(self.uri(name), language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, name: str, *texts: str) -> None:
        """Change the whole text, once for each text."""
        for text in texts:
            self.versions[name] += 1
            identifier = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
            change = types.TextDocumentContentChangeWholeDocument(text)
            params = types.DidChangeTextDocumentParams(identifier, [change])
            self.client.text_document_did_change(params)

    def insert(self, name: str, line: int, character: int, text: str, length: int = 0) -> None:
        self.versions[name] += 1
        identifier = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        start, end = types.Position(line, character), types.Position(line, character + length)
        change = types.TextDocumentContentChangePartial(types.Range(start, end), text)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(identifier, [change])
        )

    def close(self, name: str) -> None:
        identifier = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    async def shown(self, name: str) -> list[types.Diagnostic]:
        """Return the diagnostics of a file once the server has answered all."""
        await self.hover("nothing.yaml", 0, 0)
        await asyncio.sleep(0)
        await self.hover("nothing.yaml", 0, 0)
        return [*self.client.diagnostics.get(self.uri(name), ())]

    async def codes(self, name: str) -> list[object]:
        return [one.code for one in await self.shown(name)]

    async def hover(self, name: str, line: int, character: int) -> types.Hover | None:
        at = types.Position(line, character)
        identifier = types.TextDocumentIdentifier(self.uri(name))
        return await self.client.text_document_hover_async(types.HoverParams(identifier, at))
