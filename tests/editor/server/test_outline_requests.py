"""An editor gets symbols, folds, colors and lenses, and can let the server draw and emit a spec."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.uris import to_fs_path

from mimgraph.editor.server.handlers.outline import TOKEN_TYPES
from tests.conftest import needed
from tests.helpers.spec_editor import Editor

needed("pytest_lsp")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]  # each test starts a process

SPEC = """name: Small
inputs: {x: {doc: "🙂", shape: [8]}}
nodes:
  a:
    layer: Linear
    from: x
    out_features: 4
outputs: a
"""


async def test_symbols_folds_and_colors(editor: Editor) -> None:
    editor.open("a.yaml", SPEC)
    document = editor.document("a.yaml")
    symbols = await editor.ask("document_symbol", types.DocumentSymbolParams(document))
    assert [one.name for one in symbols] == ["inputs", "nodes", "outputs"]
    folds = await editor.ask("folding_range", types.FoldingRangeParams(document))
    assert [(one.start_line, one.end_line) for one in folds] == [(2, 6), (3, 6)]
    found = await editor.ask("semantic_tokens_full", types.SemanticTokensParams(document))
    assert words(SPEC, [*found.data]) == {
        "x": "variable",
        "a": "variable",
        "Linear": "class",
        "out_features": "property",
    }
    part = types.Range(types.Position(4, 0), types.Position(5, 0))
    some = await editor.ask(
        "semantic_tokens_range", types.SemanticTokensRangeParams(document, part)
    )
    assert words(SPEC, [*some.data]) == {"Linear": "class"}


def words(text: str, data: list[int]) -> dict[str, str]:
    """Return the words that tokens are about, with their types."""
    found, line, start = {}, 0, 0
    for lines, characters, length, kind, _ in zip(*[iter(data)] * 5, strict=True):
        line, start = line + lines, characters + (0 if lines else start)
        units = text.splitlines()[line].encode("utf-16-le")[2 * start : 2 * (start + length)]
        found[units.decode("utf-16-le")] = TOKEN_TYPES[kind]
    return found


async def test_lenses_draw_and_emit(editor: Editor) -> None:
    editor.open("a.yaml", SPEC)
    uri = editor.uri("a.yaml")
    document = editor.document("a.yaml")
    lenses = await editor.ask("code_lens", types.CodeLensParams(document))
    commands = {one.command.title: one.command for one in lenses if one.command}
    assert [*commands] == ["36 parameters, 32·N MACs", "draw", "emit"]
    made = {}
    for name in ("draw", "emit"):
        command = commands[name]
        answer = await editor.run(command.command.removeprefix("mimgraph."), *command.arguments)
        made[name] = Path(to_fs_path(dict(answer)["uri"]) or "")
    assert made["draw"].read_text().rstrip().endswith("</svg>")
    assert "class Small(nn.Module)" in made["emit"].read_text()
    ast.parse(made["emit"].read_text())
    # a wrong spec can be drawn; its name is no path
    editor.change("a.yaml", SPEC.replace("Small", "../x").replace("Linear", "Liner"))
    answer = await editor.run("draw", uri)
    path = Path(to_fs_path(dict(answer)["uri"]) or "")
    assert path.name == "Model.svg" and "unknown-layer" in path.read_text()
    with pytest.raises(JsonRpcException, match="the spec has errors"):
        await editor.run("emit", uri)
