"""The language server answers after any edit, and finds the same diagnostics as a fresh `check`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

import mimgraph as mg
from mimgraph.diagnostics import Diagnostic, SpecError, in_order
from mimgraph.editor.server.positions import range_of
from mimgraph.infer.warnings import warnings
from mimgraph.language.files import first_place
from mimgraph.language.spec_file import load_text
from mimgraph.source import Span
from tests.conftest import SPECS
from tests.fuzz.session import Session
from tests.fuzz.typing import Typist

LONGEST = 2_500  # characters of a spec that is edited
IN_A_ROW = 40  # edits of one document
ASKED = 0.15  # how many edits are followed by each kind of request: its share

Requests = dict[str, Callable[[types.TextDocumentIdentifier, types.Range], Any]]
REQUESTS: Requests = {
    types.TEXT_DOCUMENT_INLAY_HINT: types.InlayHintParams,
    types.TEXT_DOCUMENT_HOVER: lambda uri, at: types.HoverParams(uri, at.start),
    types.TEXT_DOCUMENT_COMPLETION: lambda uri, at: types.CompletionParams(uri, at.start),
    types.TEXT_DOCUMENT_DEFINITION: lambda uri, at: types.DefinitionParams(uri, at.start),
    types.TEXT_DOCUMENT_REFERENCES: lambda uri, at: types.ReferenceParams(
        types.ReferenceContext(True), uri, at.start
    ),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: lambda uri, at: types.DocumentHighlightParams(
        uri, at.start
    ),
    types.TEXT_DOCUMENT_PREPARE_RENAME: lambda uri, at: types.PrepareRenameParams(uri, at.start),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: lambda uri, _: types.DocumentSymbolParams(uri),
    types.TEXT_DOCUMENT_FOLDING_RANGE: lambda uri, _: types.FoldingRangeParams(uri),
    types.TEXT_DOCUMENT_CODE_LENS: lambda uri, _: types.CodeLensParams(uri),
    types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL: lambda uri, _: types.SemanticTokensParams(uri),
    types.TEXT_DOCUMENT_FORMATTING: lambda uri, _: types.DocumentFormattingParams(
        uri, types.FormattingOptions(2, True)
    ),
    types.TEXT_DOCUMENT_CODE_ACTION: lambda uri, at: types.CodeActionParams(
        uri, at, types.CodeActionContext([])
    ),
}


def check_diagnostics(session: Session) -> None:
    """Check that a fresh check finds the same, and that every place can be shown."""
    found = session.document.analysis.diagnostics
    assert shown(found) == shown(checked(session.file.name, session.file.text, session.path))
    for one in found:
        range_of(one.span)


def ask(session: Session, choose: random.Random) -> None:
    """Send some requests at a random place."""
    text = session.file.text
    ends = sorted(choose.randint(0, len(text)) for _ in range(2))
    at = range_of(Span(session.file, *session.file.place(ends[0]), *session.file.place(ends[1])))
    for method, params in REQUESTS.items():
        if session.has(method) and choose.random() < ASKED:
            session.send(method, params(types.TextDocumentIdentifier(session.uri), at))


def checked(name: str, text: str, path: Path) -> Sequence[Diagnostic]:
    """Return the diagnostics of a fresh check."""
    try:
        loaded = load_text(text, name=name, place=first_place(str(path)))
    except mg.SpecError as error:
        return error.diagnostics
    return in_order(warnings(loaded.declared))


def shown(found: Sequence[Diagnostic]) -> list[Any]:
    """Return diagnostics with all that they say."""
    return [
        (one.code, one.message, one.note, one.help, one.node, one.span.file.name, one.span[1:])
        + tuple((label.text, label.span.file.name, label.span[1:]) for label in one.labels)
        for one in found
    ]


async def edit_and_ask(count: int, choose: random.Random) -> None:
    """Edit specs so many times; a failure tells the text."""
    texts = {path: path.read_text() for path in SPECS}
    short = [path for path, text in texts.items() if len(text) < LONGEST]
    while count > 0:
        path = choose.choice(short)
        session = Session(path, texts[path])
        typist = Typist([*texts.values()], choose)
        for _ in range(min(IN_A_ROW, count)):
            before = session.file.text
            session.edit(*typist.next(before))
            try:
                check_diagnostics(session)
                ask(session, choose)
            except (Exception, SpecError) as error:
                error.add_note(f"before: {before!r}\nafter: {session.file.text!r}")
                raise
            count -= 1
        await asyncio.sleep(0)  # what the handlers left for later


@pytest.mark.parametrize(
    "count",
    [
        30,
        pytest.param(500, marks=pytest.mark.slow),
        pytest.param(100_000, marks=pytest.mark.nightly),
    ],
)
def test_random_edits_through_the_server(count: int) -> None:
    asyncio.run(edit_and_ask(count, random.Random(count)))
