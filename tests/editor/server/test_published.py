"""An editor gets the diagnostics of each version of a spec, also in its parts, and none for other YAML."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.conftest import needed
from tests.helpers.spec_editor import Editor

needed("pytest_lsp")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]  # each test starts a process

LEGAL = """inputs: {x: [8]}
nodes:
  a: {layer: Linear, from: x, out_features: 4}
outputs: a
"""
PARTED = "parts: {p: part.yaml}\ninputs: {x: [8]}\nnodes: {a: {block: p, from: x}}\noutputs: a\n"
PART = "inputs: {x: [C]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n"


async def test_diagnostics_follow_the_text(editor: Editor) -> None:
    editor.open("a.yaml", LEGAL)
    assert await editor.codes("a.yaml") == []
    editor.insert("a.yaml", 2, 24, "y")
    (found,) = await editor.shown("a.yaml")
    assert found.code == "unknown-option"
    assert found.code_description and found.code_description.href.endswith("/unknown-option.html")
    editor.change("a.yaml", LEGAL.replace("inputs: {x: [8]}", "inputs: {x: [8], y: [3]}"))
    (found,) = await editor.shown("a.yaml")
    assert (found.code, [*(found.tags or ())]) == (
        "unused-input",
        [types.DiagnosticTag.Unnecessary],
    )
    editor.change("a.yaml", LEGAL.replace("layer: Linear", "# 🙂 \n    layer: Linear"))
    assert await editor.codes("a.yaml") == []
    editor.insert("a.yaml", 2, 8, "🙂")  # in the comment, between the two halves of a smile
    assert await editor.codes("a.yaml") == []
    editor.change("a.yaml", LEGAL.replace("\n", "\r\n").replace("Linear", "Liner"))
    (found,) = await editor.shown("a.yaml")
    assert found.range == types.Range(types.Position(2, 13), types.Position(2, 18))
    editor.close("a.yaml")
    assert await editor.codes("a.yaml") == []


async def test_the_diagnostics_of_a_part_are_at_the_part(editor: Editor) -> None:
    part = editor.folder / "part.yaml"
    part.write_text(PART.replace("ReLU", "Relu"))
    editor.open("model.yaml", PARTED)
    assert await editor.codes("model.yaml") == []
    (found,) = await editor.shown("part.yaml")
    assert found.code == "unknown-layer"
    (label,) = found.related_information or ()
    assert label.location.uri == editor.uri("model.yaml")
    # as the part is typed, and not saved
    editor.open("part.yaml", PART)
    assert await editor.codes("part.yaml") == []
    editor.change("part.yaml", PART.replace("layer", "lager"))
    assert await editor.codes("part.yaml") == ["unknown-key"]
    editor.close("part.yaml")
    assert await editor.codes("part.yaml") == ["unknown-layer"]
    # as another program writes it
    part.write_text(PART)
    event = types.FileEvent(part.as_uri(), types.FileChangeType.Changed)
    editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
    assert await editor.codes("part.yaml") == []


async def test_a_burst_of_changes_is_answered_once(editor: Editor) -> None:
    seen: list[int | None] = []
    publish = types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
    features = editor.client.protocol.fm.features
    before = features[publish]

    def listen(params: types.PublishDiagnosticsParams) -> None:
        seen.append(params.version)
        before(params)

    features[publish] = listen
    editor.open("a.yaml", LEGAL)
    editor.change("a.yaml", *(LEGAL + "\n" * count for count in range(50)), LEGAL + "oops: 1\n")
    assert await editor.codes("a.yaml") == ["unknown-key"]
    assert seen[-1] == 52
    assert len(seen) < 20


async def test_the_server_is_silent_on_other_yaml(editor: Editor) -> None:
    editor.open("compose.yaml", "services: {web: {image: nginx, ports: [80:80]}}\n")
    editor.open("mine.yaml", "nodes: 1\n", "mimgraph")
    editor.open("unsaved", LEGAL.replace("Linear", "Liner"))
    assert await editor.codes("compose.yaml") == []
    assert await editor.hover("compose.yaml", 0, 1) is None
    assert "missing-key" in await editor.codes("mine.yaml")
    assert await editor.codes("unsaved") == ["unknown-layer"]
    # a spec stays one while it is half written
    editor.change("unsaved", "nodes:\n  a: {layer: ")
    assert await editor.codes("unsaved") != []


async def test_what_does_not_exist_is_no_error(editor: Editor) -> None:
    editor.versions["never.yaml"] = 1
    editor.change("never.yaml", "a: 1")
    editor.close("never.yaml")
    editor.open("a.yaml", LEGAL)
    assert await editor.hover("a.yaml", 99, 99) is None
    assert await editor.hover("a.yaml", 3, 9999) is not None
    editor.insert("a.yaml", 5, 5, "# behind the end\n", 7)
    assert await editor.codes("a.yaml") == []
    assert not editor.client.messages
