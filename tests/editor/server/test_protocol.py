"""The server answers wrong requests, ignores other junk, and forgets a document that is out of step."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.helpers.cases import each

pytestmark = pytest.mark.slow  # each test starts a process

SPEC = "inputs: {x: [8]}\nnodes:\n  a: {layer: Linear, from: x, out_features: 4}\noutputs: a\n"
HOVER, CHANGE = "textDocument/hover", "textDocument/didChange"
INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def message(method: str, params: object, id: int | None = None) -> bytes:
    numbered = {} if id is None else {"id": id}
    found = {"jsonrpc": "2.0", "method": method, "params": params, **numbered}
    return framed(json.dumps(found).encode())


def opened(uri: str, text: str = SPEC) -> bytes:
    document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
    return message("textDocument/didOpen", {"textDocument": document})


def changed(uri: str, *changes: object) -> bytes:
    params = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}
    return message(CHANGE, params)


def at(uri: str) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 14}}


def talk(*messages: bytes) -> list[dict[str, Any]]:
    """Return what a server says to these messages, the last of which ends its input."""
    done = subprocess.run(
        [sys.executable, "-m", "mimgraph", "lsp"],
        input=b"".join([message("initialize", INITIALIZE, 0), *messages]),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    parts = done.stdout.split(b"Content-Length: ")[1:]
    return [json.loads(part.partition(b"\r\n\r\n")[2]) for part in parts]


def answers(found: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {one["id"]: one for one in found if "id" in one}


REQUESTS = [
    (HOVER, {"textDocument": {"uri": "file:///a.yaml"}}, -32602, "missing @ $.params.position"),
    (HOVER, {**at("a"), "position": {"line": "x", "character": 0}}, -32602, "$.params.position"),
    (HOVER, {**at("a"), "position": {"line": -1, "character": 0}}, -32602, "$.params.position"),
    (HOVER, None, -32602, "expected HoverParams @ $.params"),
    ("workspace/executeCommand", {"command": "mimgraph.draw"}, -32602, "1 arguments, got 0"),
    ("workspace/executeCommand", {"command": "draw"}, -32602, "'draw' is not defined"),
]


def test_a_request_with_wrong_params_is_answered() -> None:
    sent = [message(method, params, 1 + at) for at, (method, params, _, _) in enumerate(REQUESTS)]
    found = answers(talk(*sent))
    for at_, (_, _, code, told) in enumerate(REQUESTS):
        error = found[1 + at_]["error"]
        assert (error["code"], told in error["message"]) == (code, True), error


JUNK = {
    "a long header": b"X: " + b"1" * (1 << 20) + b"\r\n",
    "a long number": b"Content-Length: " + b"1" * 1_000_000 + b"\r\n\r\n",
    "a header without an end": b"Content-Length: " + b"1" * (1 << 20),
    "no JSON": framed(b'{"a": '),
    "deep JSON": framed(b"[" * 100_000),
    "no object": framed(b"[]"),
    "no method": framed(b'{"jsonrpc": "2.0", "id": 1, "method": 3}'),
    "no answer": framed(b'{"jsonrpc": "2.0", "id": 1}'),
}


@each("junk", JUNK)
def test_what_is_no_message_ends_nothing(junk: bytes) -> None:
    sent = [message(HOVER, at("file:///a.yaml"), id) for id in (2, 3)]
    assert 3 in answers(talk(junk, *sent))


def test_a_uri_that_no_file_can_have() -> None:
    for uri in ("file:///a%00b.yaml", "file:///a\ud800b.yaml", "file://[a.yaml"):
        requests = (HOVER, "textDocument/definition", "textDocument/prepareRename")
        asked = [message(method, at(uri), id) for id, method in enumerate(requests, 1)]
        event = {"changes": [{"uri": uri, "type": 2}]}
        watched = message("workspace/didChangeWatchedFiles", event)
        found = answers(talk(opened(uri), watched, *asked, changed(uri, {"text": "a: 1"})))
        assert "**a** layer `Linear`" in found[1]["result"]["contents"]["value"]
        assert "result" in found[2] and "result" in found[3]


def edit(start: object, end: object, character: int = 1) -> dict[str, Any]:
    places = [{"line": start, "character": 5}, {"line": end, "character": character}]
    return {"range": dict(zip(("start", "end"), places, strict=True)), "text": "#"}


MISFITS = {
    "behind": edit(40, 40, 9),
    "backward": edit(3, 2),
    "back": edit(2, 2),
    "word": edit("x", 2),
    "minus": edit(-1, 2),
    "no-text": {"range": edit(0, 0, 9)["range"]},
}


def test_a_change_that_does_not_fit_asks_for_the_document() -> None:
    sent = []
    for id, (name, misfit) in enumerate(MISFITS.items(), 1):
        uri = f"file:///{name}.yaml"
        sent += [opened(uri), changed(uri, misfit), message(HOVER, at(uri), id)]
        sent += [changed(uri, edit(0, 0, 9)), message(HOVER, at(uri), 100 + id)]
        sent += [changed(uri, {"text": SPEC}), message(HOVER, at(uri), 200 + id)]
    found = talk(*sent)
    told = [one["params"]["message"] for one in found if one.get("method") == "window/showMessage"]
    end = "is not checked: a change does not fit its text. Close the file and open it again."
    assert told == [f"{name}.yaml {end}" for name in MISFITS]
    shown = {id: one["result"] is not None for id, one in answers(found).items() if id}
    assert shown == {id: id > 200 for id in shown}


def test_a_python_file_that_does_not_fit() -> None:
    uri, text = "file:///a.py", "import mimgraph\n"
    lens = [message("textDocument/codeLens", {"textDocument": {"uri": uri}}, id) for id in (1, 2)]
    found = talk(
        opened(uri, text),
        changed(uri, edit(40, 40, 9)),
        lens[0],
        changed(uri, {"text": text}),
        lens[1],
    )
    assert answers(found)[1]["result"] is None
    assert len(answers(found)[2]["result"]) == 1
