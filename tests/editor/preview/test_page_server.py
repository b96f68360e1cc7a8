"""The server of a preview answers those who know its token, on this machine, and serves no file."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from mimgraph.editor.preview import page_server
from mimgraph.editor.preview.live_picture import LivePicture
from mimgraph.editor.preview.page_server import MAX_BODY, PageServer
from tests.helpers.cases import each

SPEC = """inputs: {x: [5]}
nodes:
  y: {layer: Linear, from: x, out_features: 2}
outputs: y
"""


class Served:
    """A server in this process, with the lines that it opened."""

    def __init__(self, path: Path) -> None:
        self.opened: list[tuple[str, int, int]] = []
        self.live = LivePicture(str(path), {}, {})
        self.live.draw()
        self.server = PageServer(self.live, 0, lambda *place: self.opened.append(place))
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def ask(
        self,
        name: str,
        method: str = "GET",
        data: object = None,
        token: str | None = None,
        **headers: str,
    ) -> int:
        """Return the status of the answer to a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        token = self.server.token if token is None else token
        body = None if data is None else data if isinstance(data, bytes) else json.dumps(data)
        connection.request(method, f"/{token}/{name}", body, headers)  # type: ignore[arg-type]
        status = connection.getresponse().status
        connection.close()
        return status


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    path = tmp_path / "model.yaml"
    path.write_text(SPEC)
    found = Served(path)
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_only_these_names_are_answered(served: Served) -> None:
    others = ["model.yaml", "../model.yaml", "%2e%2e/model.yaml", "%00", "picture/", "open"]
    found = {name: served.ask(name) for name in ("", "picture", "picture?3", *others)}
    assert found == {"": 200, "picture": 200, "picture?3": 200, **dict.fromkeys(others, 404)}


@each("token", ["", "x", "%C3%A9", "..", "x" * 5_000])
def test_a_wrong_token_finds_nothing(served: Served, token: str) -> None:
    assert served.ask("", token=token) == 404
    assert served.ask("open", "POST", {"node": "y"}, token=token) == 404
    assert not served.opened


@each("host", ["evil.example", "127.0.0.1.evil.example", "localhost:x", ""])
def test_another_host_is_refused(served: Served, host: str) -> None:
    assert served.ask("", Host=host) == 403


def test_pages_of_others_are_refused(served: Served) -> None:
    assert served.ask("open", "POST", {"node": "y"}, Origin="http://evil.example") == 403
    assert served.ask("open", "POST", {"node": "y"}, Origin="null") == 403
    assert not served.opened
    assert served.ask("", Origin=f"http://127.0.0.1:{served.port}") == 200


@each("method", ["PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    assert served.ask("", method) == 501


@each(
    "data, place",
    [
        ({"node": "y"}, (3, 1)),
        ({"file": "model.yaml", "line": 2, "column": 4}, (2, 4)),
        ({"file": "../model.yaml", "line": 2}, None),
        ({"file": "/etc/passwd", "line": 1}, None),
    ],
)
def test_lines_of_the_spec_alone_are_opened(
    served: Served, data: object, place: tuple[int, int] | None
) -> None:
    served.opened.clear()
    assert served.ask("open", "POST", data) == 204
    assert served.opened == ([(served.live.path, *place)] if place else [])


@each(
    "data", [{"line": 0}, {"line": "1; rm"}, {"line": True}, [], b"{", b"[" * 100_000, {"text": 3}]
)
def test_wrong_bodies_are_refused(served: Served, data: object) -> None:
    assert [served.ask(name, "POST", data) for name in ("cursor", "text")] == [400, 400]


def test_a_header_has_a_limit(served: Served) -> None:
    assert served.ask("", X="x" * 100_000) == 431


@each("begun", ["GET /", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n"])
def test_a_request_that_arrives_in_drops_is_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    monkeypatch.setattr(page_server._Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(begun.encode())
        connection.settimeout(0.02)
        for _ in range(250):
            with suppress(TimeoutError):
                assert connection.recv(1) == b""  # the server has closed it
                return
            connection.sendall(b"x")
    raise AssertionError("the server waits for ever")


def test_a_body_has_a_limit(served: Served) -> None:
    headers = {"Content-Length": str(MAX_BODY + 1)}
    assert served.ask("text", "POST", **headers) == 413
    assert served.ask("text", "POST", **{"Content-Length": "-1"}) == 411


def test_the_text_of_an_editor_counts_more_than_the_file(served: Served) -> None:
    assert served.ask("text", "POST", {"text": SPEC.replace("Linear", "Linea")}) == 204
    assert [one["code"] for one in served.live.newest.faults] == ["unknown-layer"]
    assert served.ask("text", "POST", {"text": None}) == 204
    assert served.live.newest.faults == []
