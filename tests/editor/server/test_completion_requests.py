"""An editor gets proposals with the range that they replace, and their documentation when it asks."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

pytestmark = pytest.mark.slow  # each test starts a process

URI = "file:///folder/model.yaml"
SPEC = "inputs: {x: [3, 8, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, ke\n  z: {layer: Re\n"


async def items(
    client: LanguageClient, line: int, character: int, text: str = SPEC
) -> dict[str, types.CompletionItem]:
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "yaml", 1, text))
    )
    found = await client.text_document_completion_async(
        types.CompletionParams(types.TextDocumentIdentifier(URI), types.Position(line, character))
    )
    assert isinstance(found, types.CompletionList)
    return {item.label: item for item in found.items}


@pytest.mark.asyncio
async def test_an_option_is_a_snippet(client: LanguageClient) -> None:
    option = (await items(client, 2, 32))["kernel_size"]
    assert isinstance(option.text_edit, types.TextEdit)
    assert option.text_edit.new_text == "kernel_size: ${1:3}"
    assert (option.text_edit.range.start.character, option.text_edit.range.end.character) == (
        30,
        32,
    )


@pytest.mark.asyncio
async def test_a_layer_is_described_when_it_is_selected(client: LanguageClient) -> None:
    layer = (await items(client, 3, 15))["ReLU"]
    assert layer.documentation is None
    resolved = await client.completion_item_resolve_async(layer)
    assert isinstance(resolved.documentation, types.MarkupContent)
    assert "ReLU" in resolved.documentation.value


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("text", "proposed"),
    [("", "inputs"), ("in", "inputs"), ("name: A\n", "nodes"), ("services: {}\n", None)],
)
async def test_a_text_that_may_become_a_spec(
    client: LanguageClient, text: str, proposed: str | None
) -> None:
    line = text.count("\n")
    found = await items(client, line, len(text) if not line else 0, text)
    assert proposed in found if proposed else not found
