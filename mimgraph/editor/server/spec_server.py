"""Make the language server: a `pygls` server that knows the open specs."""

from __future__ import annotations

from lsprotocol.types import TextDocumentSyncKind
from pygls.lsp.server import LanguageServer

import mimgraph
from mimgraph.editor.server.documents import Documents
from mimgraph.editor.server.handlers import REGISTER


class SpecServer(LanguageServer):
    """The server, with its open documents."""

    def __init__(self) -> None:
        sync = TextDocumentSyncKind.Incremental
        super().__init__("mimgraph", mimgraph.__version__, text_document_sync_kind=sync)
        self.documents = Documents()
        for register in REGISTER:
            register(self)
