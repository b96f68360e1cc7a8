"""Make the language server: a `pygls` server that knows the open specs."""

from __future__ import annotations

from lsprotocol.types import TextDocumentSyncKind
from pygls.lsp.server import LanguageServer

import mimgraph
from mimgraph.editor.server.documents import Documents
from mimgraph.editor.server.handlers import REGISTER
from mimgraph.editor.server.python_files import PythonFiles
from mimgraph.editor.server.settings import Settings


class SpecServer(LanguageServer):
    """The server, with its open documents and the settings of the editor."""

    def __init__(self) -> None:
        sync = TextDocumentSyncKind.Incremental
        super().__init__("mimgraph", mimgraph.__version__, text_document_sync_kind=sync)
        self.documents = Documents()
        self.python_files = PythonFiles()
        self.settings = Settings()
        for register in REGISTER:
            register(self)
