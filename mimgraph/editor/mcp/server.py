"""Make the server: the tools with their schemas, as the SDK takes them."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, get_args, get_type_hints

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, ImageContent, TextContent, ToolAnnotations

import mimgraph
from mimgraph.editor.mcp.answers import Answer
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.editor.mcp.manual import LANGUAGE
from mimgraph.editor.mcp.resources import add_resources
from mimgraph.editor.mcp.tools import READING, TOOLS, WRITING
from mimgraph.editor.mcp.worker import SECONDS, Workers

INSTRUCTIONS = f"""\
{LANGUAGE}
Look up the layers that you use (layers) and a similar model (gallery), check after each change, and apply the
fixes of a diagnostic or do what its help says. The tool manual and the resource mimgraph://llms.txt have more.
"""


def make_server(
    folder: Folder, seconds: float = SECONDS, modules: Sequence[str] = ()
) -> MCPServer[Any]:
    """Return a server for the specs of a folder; a call may take this many seconds, and modules of the user
    register layers."""
    workers = Workers(folder, seconds, tuple(modules))
    tools = [_tool(workers, name) for name in TOOLS if name not in WRITING or not folder.read_only]
    server: MCPServer[Any] = MCPServer(
        "mimgraph",
        instructions=INSTRUCTIONS,
        version=mimgraph.__version__,
        tools=tools,
        log_level="ERROR",
    )
    add_resources(server)
    return server


def _tool(workers: Workers, name: str) -> Tool:
    """Return a tool as the SDK has it; it refuses arguments that it does not have."""
    function = TOOLS[name]
    reads = name in READING or workers.folder.read_only
    tool = Tool.from_function(
        _called(workers, name, function),
        name,
        description=inspect.getdoc(function),
        annotations=ToolAnnotations(
            read_only_hint=reads, destructive_hint=not reads, open_world_hint=False
        ),
    )
    model = tool.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    tool.parameters = model.model_json_schema(by_alias=True)
    return tool


def _called(
    workers: Workers, name: str, tool: Callable[..., Answer]
) -> Callable[..., Awaitable[CallToolResult]]:
    """Return the function that the SDK calls: it has the arguments of the tool, but for the folder."""

    async def call(**arguments: Any) -> CallToolResult:
        try:
            text, data, png = await workers.run(name, arguments, name not in READING)
        except WrongCall as wrong:
            raise ToolError(str(wrong)) from None
        content: list[Any] = [TextContent(type="text", text=text)]
        if png:
            picture = base64.b64encode(png).decode()
            content.append(ImageContent(type="image", data=picture, mime_type="image/png"))
        return CallToolResult(content=content, structured_content=data)

    hints = get_type_hints(tool, include_extras=True)
    returned = Annotated[CallToolResult, get_args(hints.pop("return"))[1]]
    del hints["folder"]
    given = inspect.signature(tool).parameters.values()
    parameters = [
        one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for one in given
        if one.name != "folder"
    ]
    call.__name__ = name
    call.__annotations__ = {**hints, "return": returned}
    call.__signature__ = inspect.Signature(parameters, return_annotation=returned)  # type: ignore[attr-defined]
    return call
