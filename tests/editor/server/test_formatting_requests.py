"""An editor formats a document or a selection by edits of the lines that change."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

from tests.helpers.spec_editor import Editor

pytestmark = pytest.mark.slow  # each test starts a process

SPEC = """name: Small
inputs: {x:   [8]}
nodes:
  a: {from: x, layer: ReLU}  # \U0001f642
outputs: a
"""


@pytest.mark.asyncio
async def test_a_document_and_a_selection(client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(client, tmp_path)
    editor.open("a.yaml", SPEC)
    document = types.TextDocumentIdentifier(editor.uri("a.yaml"))
    options = types.FormattingOptions(2, True)
    whole = await client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    assert whole is not None
    assert [(one.range.start.line, one.range.end.line, one.new_text) for one in whole] == [
        (1, 2, "inputs: {x: [8]}\n"),
        (3, 4, "  a: {layer: ReLU, from: x}  # \U0001f642\n"),
    ]
    selection = types.Range(types.Position(1, 3), types.Position(2, 0))
    part = await client.text_document_range_formatting_async(
        types.DocumentRangeFormattingParams(document, selection, options)
    )
    assert part == whole[:1]
