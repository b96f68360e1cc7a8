"""An editor renames the name under the cursor, in open files and others, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

pytestmark = pytest.mark.slow  # each test starts a process

SPEC = """parts: {text: text.yaml}
inputs: {x: [T, 8]}
nodes:
  a: {block: text, from: {tokens: x}}
outputs: a
"""
PART = "inputs: {tokens: [T, 8]}\nnodes: {fc: {layer: ReLU, from: tokens}}\noutputs: fc\n"


@pytest.mark.asyncio
async def test_rename(client: LanguageClient, tmp_path: Path) -> None:
    (tmp_path / "text.yaml").write_text(PART)
    uri = (tmp_path / "model.yaml").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "yaml", 1, SPEC))
    )
    document, tokens = types.TextDocumentIdentifier(uri), types.Position(3, 28)
    found = await client.text_document_prepare_rename_async(
        types.PrepareRenameParams(document, tokens)
    )
    assert isinstance(found, types.PrepareRenamePlaceholder)
    assert (found.placeholder, str(found.range)) == ("tokens", "3:26-3:32")
    change = await client.text_document_rename_async(types.RenameParams(document, tokens, "words"))
    assert change is not None and change.changes is not None
    places = {
        one.rpartition("/")[2]: [f"{edit.range.start} {edit.new_text}" for edit in edits]
        for one, edits in change.changes.items()
    }
    assert places == {"text.yaml": ["0:9 words", "1:32 words"], "model.yaml": ["3:26 words"]}
    with pytest.raises(JsonRpcException, match=r"x is an input already \(line 2\)"):
        await client.text_document_rename_async(
            types.RenameParams(document, types.Position(3, 2), "x")
        )
    nothing = types.PrepareRenameParams(document, types.Position(3, 6))
    assert await client.text_document_prepare_rename_async(nothing) is None
