"""Offer the reference, the manual and the gallery as resources, and a prompt that begins a spec."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.server.mcpserver.resources import FunctionResource
from mcp.types import (
    Completion,
    CompletionArgument,
    PromptReference,
    ResourceTemplateReference,
)

from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import page as code_page
from mimgraph.editor.mcp import manual
from mimgraph.editor.mcp.answers import cut
from mimgraph.gallery.catalogue import entries, find
from mimgraph.language import schema
from mimgraph.language.reference import bare_keys, every_op
from mimgraph.language.reference_pages import describe

MOST = 100  # names that the protocol lets a server propose
MARKDOWN, YAML, JSON = "text/markdown", "application/yaml", "application/schema+json"


def add_resources(server: MCPServer[Any]) -> None:
    """Add the resources, which need no folder."""
    _add(server, "llms.txt", manual.llms, "llms.txt", "All that can be read here", MARKDOWN)
    _add(server, "schema.json", schema.text, "schema.json", "The JSON Schema of specs", JSON)
    for name in manual.pages():
        about = f"The language: {name.replace('-', ' ')}"
        _add(server, f"language/{name}", partial(manual.page, name), name, about, MARKDOWN)
    for one in entries():
        read = partial(find(one.name).read_text, encoding="utf-8")
        _add(server, f"gallery/{one.name}", read, one.name, one.about, YAML)

    @server.resource("mimgraph://layers/{name}", mime_type="text/plain")
    def layer(name: str) -> str:
        """Describe a layer, merge or key."""
        try:
            return cut(describe(name))
        except KeyError as error:
            raise ResourceNotFoundError(". ".join(filter(None, error.args))) from None

    @server.resource("mimgraph://explain/{code}", mime_type=MARKDOWN)
    def diagnostic(code: str) -> str:
        """Explain the code of a diagnostic."""
        if code not in CODES:
            raise ResourceNotFoundError(f"no code is called {code[:100]!r}")
        return code_page(code)

    @server.prompt(title="Write a spec")
    def write_a_spec(task: str, parameters: str = "") -> str:
        """Begin a conversation in which a model is declared, checked and emitted."""
        budget = f" It may have at most {parameters} parameters." if parameters else ""
        return PROMPT.format(
            language=manual.LANGUAGE, task=task.rstrip().rstrip("."), budget=budget
        )

    server.completion()(_completed)  # type: ignore[no-untyped-call]


async def _completed(
    ref: PromptReference | ResourceTemplateReference, argument: CompletionArgument, context: Any
) -> Completion | None:
    """Complete the name of a layer or the code of a diagnostic."""
    if not isinstance(ref, ResourceTemplateReference):
        return None
    names = CODES if argument.name == "code" else [*(op.name for op in every_op()), *bare_keys()]
    begun = [one for one in names if one.lower().startswith(argument.value.lower())]
    return Completion(values=begun[:MOST], total=len(begun), has_more=len(begun) > MOST)


PROMPT = """\
{language}
Work like this: look for a similar spec with the tool gallery; look up each layer and merge that you use with
layers; write the whole spec and call check; apply the fixes of its diagnostics, or do what their help says,
until it is legal; then show me the spec, the summary and a picture (draw), and emit the source if I ask for it.

Write a spec of this model: {task}.{budget}
"""


def _add(
    server: MCPServer[Any], path: str, read: Any, name: str, about: str, mime_type: str
) -> None:
    server.add_resource(
        FunctionResource(
            uri=f"mimgraph://{path}", name=name, description=about, mime_type=mime_type, fn=read
        )
    )
