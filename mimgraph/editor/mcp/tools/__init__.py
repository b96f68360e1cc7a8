"""The tools, a module for each kind; a tool takes the folder and its arguments and returns an `Answer`.

The first paragraph of its docstring is what a language model reads of it.
"""

from __future__ import annotations

from collections.abc import Callable

from mimgraph.editor.mcp.answers import Answer
from mimgraph.editor.mcp.tools.change import edit, format, write
from mimgraph.editor.mcp.tools.check import check
from mimgraph.editor.mcp.tools.look_up import explain, gallery, layers, manual, specs
from mimgraph.editor.mcp.tools.make import diff, draw, emit, summary

READING: dict[str, Callable[..., Answer]] = {
    tool.__name__: tool
    for tool in (check, explain, layers, gallery, manual, specs, summary, emit, draw, diff)
}
TOOLS: dict[str, Callable[..., Answer]] = {
    **READING,
    **{tool.__name__: tool for tool in (edit, format, write)},
}
WRITING = ("write",)  # what a server that writes nothing leaves out
