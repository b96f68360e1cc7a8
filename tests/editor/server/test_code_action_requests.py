"""An editor gets the fixes of the diagnostics in a range, and all at once."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

pytestmark = pytest.mark.slow  # each test starts a process

URI = "file:///folder/model.yaml"
SPEC = """inputs: {x: [8]}
nodes:
  a: {layer: Liner, from: x, out_features: 4}
  b: {layer: RELU, from: a}
outputs: b
"""


async def actions(
    client: LanguageClient, kind: types.CodeActionKind, line: int
) -> list[tuple[str, list[str]]]:
    """Return the title of each action at a line, and its texts."""
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "yaml", 1, SPEC))
    )
    here = types.Range(types.Position(line, 0), types.Position(line, 99))
    found = await client.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(URI), here, types.CodeActionContext([], [kind])
        )
    )
    shown = []
    for one in found or []:
        assert isinstance(one, types.CodeAction) and one.edit and one.edit.changes
        shown.append((one.title, [edit.new_text for edit in one.edit.changes[URI]]))
    return shown


@pytest.mark.asyncio
async def test_fixes_of_a_line(client: LanguageClient) -> None:
    found = await actions(client, types.CodeActionKind.QuickFix, 2)
    assert ("Replace with Linear", ["Linear"]) in found


@pytest.mark.asyncio
async def test_all_fixes_at_once(client: LanguageClient) -> None:
    ((title, texts),) = await actions(client, types.CodeActionKind.SourceFixAll, 0)
    assert title.startswith("Fix all")
    assert texts == [SPEC.replace("Liner", "Linear").replace("RELU", "ReLU")]
