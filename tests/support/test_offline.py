"""Checks that code of others is kept from the network, and which file it wanted."""

from __future__ import annotations

import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType

import pytest

from mimgraph.support.offline import (
    HUB_CONSTANTS,
    HUB_SWITCH,
    SWITCH,
    Refused,
    is_offline,
    missing_file,
    offline,
    refusing_network,
)

ELSEWHERE = {
    "a URL": lambda: urllib.request.urlopen("https://models.example.org/a.pth"),
    "a name": lambda: socket.getaddrinfo("models.example.org", 443),
    "a name in bytes": lambda: socket.getaddrinfo(b"models.example.org", 443),
    "an address": lambda: socket.create_connection(("192.0.2.1", 443), 1),
    "an address of IPv6": lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 443)),
}


@pytest.mark.parametrize("case", ELSEWHERE)
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_another_machine_is_not_reached(case: str) -> None:
    with (
        refusing_network(),
        pytest.raises(Refused, match="is not reached: the network is off here"),
    ):
        ELSEWHERE[case]()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_this_machine_is_reached_and_its_answer_is_no_missing_file() -> None:
    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.handle_request, daemon=True).start()
    with refusing_network(), socket.create_connection(server.server_address[:2], 5) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"404" in connection.recv(100)
    server.server_close()
    error = urllib.error.HTTPError("https://example.org/a.pth", 404, "no", None, None)  # type: ignore[arg-type]
    assert missing_file(error) is None


def test_other_threads_keep_the_network() -> None:
    """A search may keep its trials in a database elsewhere."""
    seen: list[str] = []

    def work() -> None:
        sys.audit("socket.connect", None, ("192.0.2.1", 5432))
        seen.append("fine")

    with refusing_network():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    sys.audit("socket.connect", None, ("192.0.2.1", 5432))
    assert seen == ["fine"]


@pytest.mark.parametrize("before", [None, "0", "1"])
@pytest.mark.parametrize("imported", ["before", "meanwhile", "never"])
def test_the_library_of_the_hub_is_as_it_was(
    before: str | None, imported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, HUB_CONSTANTS, ModuleType("constants"))
    constants = sys.modules.pop(HUB_CONSTANTS)
    monkeypatch.delenv(HUB_SWITCH, raising=False)
    if before is not None:
        monkeypatch.setenv(HUB_SWITCH, before)

    def import_it() -> None:
        setattr(constants, HUB_SWITCH, os.environ.get(HUB_SWITCH) == "1")
        sys.modules[HUB_CONSTANTS] = constants

    if imported == "before":
        import_it()
    with refusing_network():
        if imported == "meanwhile":
            import_it()
        assert os.environ[HUB_SWITCH] == "1"
        assert imported == "never" or getattr(constants, HUB_SWITCH)
        with refusing_network():
            pass
        assert os.environ[HUB_SWITCH] == "1"
    assert os.environ.get(HUB_SWITCH) == before
    assert imported == "never" or getattr(constants, HUB_SWITCH) == (before == "1")


def test_the_environment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, asked in {"1": True, "on": True, "0": False, "": False}.items():
        monkeypatch.setenv(SWITCH, text)
        assert is_offline() == asked
    monkeypatch.delenv(SWITCH)
    with offline():
        assert is_offline()
    assert SWITCH not in os.environ
