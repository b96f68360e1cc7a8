"""Make the language server: a `pygls` server that knows the open specs."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Any, BinaryIO, TypeAlias

from lsprotocol.types import TextDocumentSyncKind
from pygls.exceptions import JsonRpcException, JsonRpcInternalError
from pygls.io_ import StdoutWriter
from pygls.lsp.server import LanguageServer

import mimgraph
from mimgraph.editor.server.documents import Document, Documents
from mimgraph.editor.server.handlers import HANDLERS
from mimgraph.editor.server.input_stream import InputStream
from mimgraph.editor.server.previews import Previews
from mimgraph.editor.server.protocol import SpecProtocol
from mimgraph.editor.server.published import Published
from mimgraph.editor.server.python_files import PythonFile
from mimgraph.editor.server.settings import Settings

OBJECTS = 500_000  # new ones before garbage is collected: a keystroke takes a third less
Handler: TypeAlias = Callable[[Document, Any], Any]  # of a document and the params of a request
log = logging.getLogger(__name__)


class SpecServer(LanguageServer):
    """The server, with its open documents, the diagnostics it published, and the editor's settings."""

    protocol: SpecProtocol

    def __init__(self) -> None:
        sync = TextDocumentSyncKind.Incremental
        super().__init__(
            "mimgraph",
            mimgraph.__version__,
            text_document_sync_kind=sync,
            protocol_cls=SpecProtocol,
        )
        self.documents = Documents()
        self.python_files: dict[str, PythonFile] = {}  # that are open, by URI
        self.previews = Previews(self)
        self.published = Published(self)
        self.settings = Settings()
        self.lost: dict[str, str] = {}  # the languages of documents whose text is not known, by URI
        for one in HANDLERS:
            one.register(self)

    def of_spec(
        self, method: str, options: Any = None, otherwise: Any = None
    ) -> Callable[[Handler], Handler]:
        """Register a handler of requests about a document, which is called with the open spec.

        `otherwise` is the answer about a document that is none.
        """

        def decorated(handler: Handler) -> Handler:
            @self.feature(method, options)
            def answer(params: Any) -> Any:
                document = self.documents.spec(params.text_document.uri)
                return otherwise if document is None else handler(document, params)

            return handler

        return decorated

    @property
    def can_show_documents(self) -> bool:
        """Whether the editor opens a file, an address or a line when the server asks for it."""
        window = self.client_capabilities.window
        return bool(window and window.show_document and window.show_document.support)

    def start_io(self, stdin: BinaryIO | None = None, stdout: BinaryIO | None = None) -> None:
        """Serve on these streams until the editor ends the session or the input ends."""
        assert stdin is not None and stdout is not None
        gc.set_threshold(OBJECTS)
        gc.enable()  # commands that soon end do without
        self.protocol.set_writer(StdoutWriter(stdout))
        try:
            asyncio.run(self._serve(stdin.fileno()))
        except (BrokenPipeError, KeyboardInterrupt):
            log.info("the editor is gone")

    async def _serve(self, descriptor: int) -> None:
        async for message in InputStream(descriptor).messages():
            try:
                self.protocol.take(message)
            except Exception as error:  # noqa: BLE001  # the server must not end
                self.report_server_error(error, type(error))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong in a handler; the editor gets an error as the answer, and no window."""
        if not _is_refusal(error):
            log.error("%s", error, exc_info=error)


def _is_refusal(error: BaseException | None) -> bool:
    """Return whether an error is an answer: it says why a request, such as a rename, is refused."""
    return isinstance(error, JsonRpcException) and error.code != JsonRpcInternalError.CODE


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """Return whether a record of pygls is to be logged."""
    is_refusal = record.exc_info and _is_refusal(record.exc_info[1])
    return not (is_refusal or str(record.msg).startswith("Unable to deserialize"))


# pygls logs a message that it cannot read, and an answer that is an error, with a traceback
logging.getLogger("pygls.protocol.json_rpc").addFilter(_is_no_refusal)
