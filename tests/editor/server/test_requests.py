"""An editor gets completions, fixes, definitions, renames and formatted text from the server."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.conftest import needed
from tests.helpers.spec_editor import Editor

needed("pytest_lsp")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]  # each test starts a process


# --- completion -----------------------------------------------------------------------------------

HALF = "inputs: {x: [3, 8, 8]}\nnodes:\n  y: {layer: Conv2d, from: x, ke\n  z: {layer: Re\n"


async def items(editor: Editor, line: int, character: int) -> dict[str, types.CompletionItem]:
    """Return the proposals at a place, by their labels."""
    at = types.CompletionParams(editor.document("a"), types.Position(line, character))
    found = await editor.client.text_document_completion_async(at)
    assert isinstance(found, types.CompletionList)
    return {item.label: item for item in found.items}


async def test_an_option_is_a_snippet(editor: Editor) -> None:
    editor.open("a", HALF)
    edit = (await items(editor, 2, 32))["kernel_size"].text_edit
    assert isinstance(edit, types.TextEdit)
    assert (edit.new_text, str(edit.range)) == ("kernel_size: ${1:3}", "2:30-2:32")


async def test_a_layer_is_described_when_it_is_selected(editor: Editor) -> None:
    editor.open("a", HALF)
    layer = (await items(editor, 3, 15))["ReLU"]
    assert layer.documentation is None
    resolved = await editor.client.completion_item_resolve_async(layer)
    assert isinstance(resolved.documentation, types.MarkupContent)
    assert "ReLU" in resolved.documentation.value


async def test_a_text_that_may_become_a_spec(editor: Editor) -> None:
    cases = {"": "inputs", "in": "inputs", "name: A\n": "nodes", "services: {}\n": None}
    for text, proposed in cases.items():
        editor.open("a", text)
        found = await items(editor, text.count("\n"), len(text) if "\n" not in text else 0)
        assert (proposed in found) if proposed else not found, text
        editor.close("a")


# --- fixes ----------------------------------------------------------------------------------------

WRONG = """inputs: {x: [8]}
nodes:
  a: {layer: Liner, from: x, out_features: 4}
  b: {layer: RELU, from: a}
outputs: b
"""


async def fixes(editor: Editor, kind: types.CodeActionKind, line: int) -> dict[str, list[str]]:
    """Return the titles of the actions at a line, each with its texts."""
    here = types.Range(types.Position(line, 0), types.Position(line, 99))
    context = types.CodeActionContext([], [kind])
    found = await editor.ask(
        "code_action", types.CodeActionParams(editor.document("a.yaml"), here, context)
    )
    shown = {}
    for one in found or []:
        assert isinstance(one, types.CodeAction) and one.edit and one.edit.changes
        shown[one.title] = [edit.new_text for edit in one.edit.changes[editor.uri("a.yaml")]]
    return shown


async def test_fixes_of_a_line_and_all_at_once(editor: Editor) -> None:
    editor.open("a.yaml", WRONG)
    found = await fixes(editor, types.CodeActionKind.QuickFix, 2)
    assert found["Replace with Linear"] == ["Linear"]
    ((title, texts),) = (await fixes(editor, types.CodeActionKind.SourceFixAll, 0)).items()
    assert title.startswith("Fix all")
    assert texts == [WRONG.replace("Liner", "Linear").replace("RELU", "ReLU")]


# --- names ----------------------------------------------------------------------------------------

SPEC = """parts: {text: text.yaml}
inputs: {x: [T, 8]}
nodes:
  a: {block: text, from: {tokens: x}}
outputs: a
"""
PART = "inputs: {tokens: [T, 8]}\nnodes: {fc: {layer: ReLU, from: tokens}}\noutputs: fc\n"


@pytest.fixture
def parted(editor: Editor) -> Editor:
    """Return an editor with an open spec, whose part is a file that is not open."""
    (editor.folder / "text.yaml").write_text(PART)
    editor.open("a.yaml", SPEC)
    return editor


async def test_definition_and_references(parted: Editor) -> None:
    document = parted.document("a.yaml")

    def shown(found: object) -> list[str]:
        assert isinstance(found, list | tuple)
        return [f"{one.uri.rpartition('/')[2]} {one.range.start}" for one in found]

    at = types.Position(3, 28)
    found = await parted.ask("definition", types.DefinitionParams(document, at))
    assert shown(found) == ["text.yaml 0:9"]
    context = types.ReferenceContext(include_declaration=True)
    uses = await parted.ask("references", types.ReferenceParams(context, document, at))
    assert shown(uses) == ["text.yaml 0:9", "text.yaml 1:32", "a.yaml 3:26"]
    marks = await parted.ask(
        "document_highlight", types.DocumentHighlightParams(document, types.Position(1, 10))
    )
    assert [str(one.range.start) for one in marks] == ["1:9", "3:34"]


async def test_rename(parted: Editor) -> None:
    """The name under the cursor, in open files and others, or the reason why it cannot be renamed."""
    document, tokens = parted.document("a.yaml"), types.Position(3, 28)
    found = await parted.ask("prepare_rename", types.PrepareRenameParams(document, tokens))
    assert isinstance(found, types.PrepareRenamePlaceholder)
    assert (found.placeholder, str(found.range)) == ("tokens", "3:26-3:32")
    change = await parted.ask("rename", types.RenameParams(document, tokens, "words"))
    places = {
        one.rpartition("/")[2]: [f"{edit.range.start} {edit.new_text}" for edit in edits]
        for one, edits in change.changes.items()
    }
    assert places == {"text.yaml": ["0:9 words", "1:32 words"], "a.yaml": ["3:26 words"]}
    taken = types.RenameParams(document, types.Position(3, 2), "x")
    with pytest.raises(JsonRpcException, match=r"x is an input already \(line 2\)"):
        await parted.ask("rename", taken)
    nothing = types.PrepareRenameParams(document, types.Position(3, 6))
    assert await parted.ask("prepare_rename", nothing) is None


# --- formatting -----------------------------------------------------------------------------------

LOOSE = """name: Small
inputs: {x:   [8]}
nodes:
  a: {from: x, layer: ReLU}  # \U0001f642
outputs: a
"""


async def test_a_document_and_a_selection_are_formatted(editor: Editor) -> None:
    editor.open("a.yaml", LOOSE)
    document, options = editor.document("a.yaml"), types.FormattingOptions(2, True)
    whole = await editor.ask("formatting", types.DocumentFormattingParams(document, options))
    assert [(one.range.start.line, one.range.end.line, one.new_text) for one in whole] == [
        (1, 2, "inputs: {x: [8]}\n"),
        (3, 4, "  a: {layer: ReLU, from: x}  # \U0001f642\n"),
    ]
    selection = types.Range(types.Position(1, 3), types.Position(2, 0))
    part = await editor.ask(
        "range_formatting", types.DocumentRangeFormattingParams(document, selection, options)
    )
    assert part == whole[:1]
