"""Serve the pages of a preview on this machine alone, to those who know its token.

Each address begins with the token, which no other page can guess, and a request must name this machine
as its host, so that no name of a stranger can stand for it (DNS rebinding). No file is served: the answers
are the shell, the picture, and events; a request can open a line of the spec in the editor, move the
cursor and set the text that is shown, and nothing else.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from socket import socket
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

from mimgraph.declare.tree import MAX_BYTES
from mimgraph.editor.preview.live_picture import LivePicture
from mimgraph.editor.preview.shell import policy, shell

HOST = "127.0.0.1"
HOSTS = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?")
HEARTBEAT = 5.0  # seconds after which a page that is gone is noticed
MAX_CONNECTIONS = 64  # at a time, each with a thread
MAX_BODY = 6 * MAX_BYTES + 1_000  # of a text of the largest size, each character escaped


class Refused(Exception):
    """Raised for a request that is not answered, with the status to send."""


class PageServer(ThreadingHTTPServer):
    """The server of a live picture; `open_line` opens a line of a file in an editor, if there is one."""

    daemon_threads = True  # they wait for events
    block_on_close = False

    def __init__(
        self,
        live: LivePicture,
        port: int,
        open_line: Callable[[str, int, int], None] | None,
        token: str | None = None,
    ) -> None:
        self.live, self.open_line = live, open_line
        self.token = token or secrets.token_urlsafe(24)
        self._free = BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        """The address of the page, with the token."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own; close it at once if there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection, and let another have its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a page that is closed while it is answered."""


class _Arriving(RawIOBase):
    """What a connection sends; after the time `until` a `TimeoutError` is raised.

    The timeout of a socket is for each read, of which a request that arrives in drops has any number.
    """

    def __init__(self, connection: socket) -> None:
        self.connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        usual, left = self.connection.gettimeout(), self.until - monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        try:
            return self.connection.recv_into(buffer)
        finally:
            self.connection.settimeout(usual)


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds for a whole request to arrive, and for each part of an answer to leave

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.arriving = _Arriving(self.connection)
        self.rfile = BufferedReader(self.arriving)

    def handle_one_request(self) -> None:
        self.arriving.until = monotonic() + self.timeout
        super().handle_one_request()

    def do_GET(self) -> None:
        answers: Mapping[str, Callable[[], None]] = {
            "": self._shell,
            "picture": self._picture,
            "events": self._events,
        }
        self._answer(answers)

    def do_POST(self) -> None:
        answers = {name: partial(self._act, act) for name, act in _ACTS.items()}
        self._answer(answers)

    def _answer(self, answers: Mapping[str, Callable[[], None]]) -> None:
        """Answer the request for one of these names below the token."""
        try:
            self._check_sender()
            path = self.path.partition("?")[0]
            token, _, name = path.removeprefix("/").partition("/")
            if not compare_digest(token.encode(), self.server.token.encode()):
                raise Refused(HTTPStatus.NOT_FOUND)
            if name not in answers:
                raise Refused(HTTPStatus.NOT_FOUND)
            answers[name]()
        except Refused as refused:
            self.close_connection = True
            self._send(refused.args[0], "text/plain", b"")

    def _check_sender(self) -> None:
        """Refuse a request that was sent to another name than this machine's, or by a page of another
        server."""
        hosts, origins = self.headers.get_all("Host", []), self.headers.get_all("Origin", [])
        if len(hosts) != 1 or not HOSTS.fullmatch(hosts[0]):
            raise Refused(HTTPStatus.FORBIDDEN)
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            raise Refused(HTTPStatus.FORBIDDEN)

    def _shell(self) -> None:
        text = shell(self.server.live.path, self.server.open_line is not None)
        self._send(HTTPStatus.OK, "text/html", text.encode(errors="replace"), policy())

    def _picture(self) -> None:
        page = self.server.live.page
        if not page:
            raise Refused(HTTPStatus.NOT_FOUND)
        self._send(HTTPStatus.OK, "text/html", page.encode(errors="replace"))

    def _events(self) -> None:
        self.close_connection = True
        self._head(HTTPStatus.OK, "text/event-stream", None)
        self.end_headers()
        for event in self.server.live.events(HEARTBEAT):
            text = f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n" if event else ":\n\n"
            self.wfile.write(text.encode())
            self.wfile.flush()

    def _act(self, act: Callable[[PageServer, dict[str, Any]], None]) -> None:
        data = self._body()
        try:
            act(self.server, data)
        except (KeyError, TypeError, ValueError):
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        self._send(HTTPStatus.NO_CONTENT, None, b"")

    def _body(self) -> dict[str, Any]:
        """Return the JSON object that a request sends."""
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,12}", length):
            raise Refused(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            data = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise Refused(HTTPStatus.BAD_REQUEST) from None
        if not isinstance(data, dict):
            raise Refused(HTTPStatus.BAD_REQUEST)
        return data

    def _send(
        self, status: HTTPStatus, type: str | None, data: bytes, policy: str | None = None
    ) -> None:
        self._head(status, type, policy)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _head(self, status: HTTPStatus, type: str | None, policy: str | None) -> None:
        """Send the status and headers that every answer has; a picture brings its policy itself."""
        self.send_response(status)
        if type is not None:
            self.send_header("Content-Type", f"{type}; charset=utf-8")
        if policy is not None:
            self.send_header("Content-Security-Policy", policy)
        # a proxy, as of an editor in the browser, compresses nothing: it would hold events back
        self.send_header("Cache-Control", "no-store, no-transform")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")

    def version_string(self) -> str:
        """Return the name of the server, without versions."""
        return "mimgraph"

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the address of each request has the token."""


def _open(server: PageServer, data: dict[str, Any]) -> None:
    """Open a node, or a line of a file of the spec, in the editor."""
    live = server.live
    if server.open_line is None:
        return
    lines = live.newest.lines.get(data["node"]) if "node" in data else None
    name = lines.file if lines else str(data.get("file", ""))
    line = lines.first if lines else _number(data.get("line"))
    column = 1 if lines else _number(data.get("column", 1))
    paths = {path.replace("\\", "/").rpartition("/")[2]: path for path in live.files}
    if name in paths:
        server.open_line(paths[name], line, column)


def _move(server: PageServer, data: dict[str, Any]) -> None:
    """Show the node at a line of a file; of the spec if no file is named."""
    server.live.show_cursor(str(data.get("file", server.live.path)), _number(data["line"]))


def _set_text(server: PageServer, data: dict[str, Any]) -> None:
    """Show the text of an editor; null shows the file again."""
    text = data["text"]
    if text is not None and not isinstance(text, str):
        raise TypeError("the text is no text")
    server.live.show_text(text)


def _number(value: object) -> int:
    """Return a line or column that a request names."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 10**9:
        raise ValueError("a line or column is a number from 1 on")
    return value


_ACTS: dict[str, Callable[[PageServer, dict[str, Any]], None]] = {
    "open": _open,
    "cursor": _move,
    "text": _set_text,
}
