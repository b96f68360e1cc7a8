"""A spec is checked after a pause without changes; a request has the newest text at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from lsprotocol import types

from mimgraph.editor.server import published
from tests.fuzz.session import Session

SPEC = """\
inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
outputs: a
"""
OP = SPEC.index("Linear")
LONG = 3600  # seconds of a pause that no test waits for

Seen = list[types.PublishDiagnosticsParams]


async def with_session(folder: Path, run: Callable[[Session, Seen], None]) -> None:
    """Run a test on an open spec that was checked, and on what is published from then on."""
    session = Session(folder / "a.yaml", SPEC)
    session.server.published.now()
    seen: Seen = []
    session.server.text_document_publish_diagnostics = seen.append  # type: ignore[method-assign]
    run(session, seen)


def test_each_change_begins_the_pause_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(published, "PAUSE", LONG)

    def run(session: Session, seen: Seen) -> None:
        timer = None
        for _ in range(3):
            session.edit(OP, OP + 1, "M")
            last, timer = timer, session.server.published.timer
            assert timer is not None and not timer.cancelled()
            assert last is None or (last is not timer and last.cancelled())
        assert not seen
        session.server.published.now()  # the pause ends
        (found,) = seen
        assert found.version == 4
        assert [one.code for one in found.diagnostics] == ["unknown-layer"]
        assert session.server.published.timer is None

    asyncio.run(with_session(tmp_path, run))


def test_a_request_waits_for_no_pause(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(published, "PAUSE", LONG)

    def run(session: Session, seen: Seen) -> None:
        session.edit(OP, OP + len("Linear, from: x, out_features: 4"), "ReLU, from: x")
        at = types.HoverParams(types.TextDocumentIdentifier(session.uri), types.Position(2, 14))
        hover = session.send(types.TEXT_DOCUMENT_HOVER, at)
        assert "layer `ReLU`" in hover.contents.value
        assert not seen

    asyncio.run(with_session(tmp_path, run))


def test_what_is_closed_is_not_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(published, "PAUSE", LONG)

    def run(session: Session, seen: Seen) -> None:
        session.edit(OP, OP + 1, "M")
        timer = session.server.published.timer
        which = types.TextDocumentIdentifier(session.uri)
        session.send(types.TEXT_DOCUMENT_DID_CLOSE, types.DidCloseTextDocumentParams(which))
        assert timer is not None and timer.cancelled()
        assert session.server.published.timer is None
        assert [one.diagnostics for one in seen] == [[]]

    asyncio.run(with_session(tmp_path, run))


def test_the_pause_ends(tmp_path: Path) -> None:
    async def run() -> None:
        session = Session(tmp_path / "a.yaml", SPEC)
        session.edit(OP, OP + 1, "M")
        told = asyncio.get_running_loop().create_future()
        session.server.text_document_publish_diagnostics = told.set_result  # type: ignore[method-assign]
        assert (await told).version == 2

    asyncio.run(run())
