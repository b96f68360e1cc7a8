"""A folder with a legal and a wrong spec, and calls of the tools on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimgraph.editor.mcp.folder import Folder

Call = Callable[..., tuple[str, dict[str, Any]]]
LEGAL = """\
inputs: {x: [8]}  # eight
nodes:
  a: {layer: Linear, from: x, out_features: 4}
outputs: a
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.yaml").write_text(LEGAL)
    (tmp_path / "wrong.yaml").write_text(LEGAL.replace("Linear", "Liner"))
    return Folder(str(tmp_path.resolve()))


@pytest.fixture
def call(folder: Folder) -> Call:
    """Return what calls a tool, and returns the text and data of its answer."""
    from mimgraph.editor.mcp.tools import TOOLS

    def answer(tool: str, folder: Folder = folder, **arguments: Any) -> tuple[str, dict[str, Any]]:
        text, data, _ = TOOLS[tool](folder, **arguments)
        return text, vars(data)

    return answer
