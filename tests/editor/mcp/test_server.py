"""A client of the official SDK talks to the server over standard input, as a language model does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, needed
from tests.editor.mcp.clients import client_of, client_of_process, data, text

mcp, types = needed("mcp"), needed("mcp.types")

pytestmark = pytest.mark.slow  # each test starts a process

WRONG = """# a model of two inputs
inputs: {x: [8], image: [3, 4, 4]}
nodes:
  a: {layer: Liner, from: x, out_features: 4}
  b: {layer: Linear, from: x, out_features: 2}
  both: {merge: concat, from: [a, b, image]}
outputs: both
"""


@pytest.mark.asyncio
async def test_a_language_model_mends_a_spec(tmp_path: Path) -> None:
    async with client_of_process(str(tmp_path)) as client:
        assert "check" in {tool.name for tool in (await client.list_tools()).tools}
        known = await client.call_tool("layers", {"name": "Linear"})
        assert "out_features" in text(known)
        arguments = {"path": "net.yaml", "spec": WRONG, "even_if_wrong": True}
        assert data(await client.call_tool("write", arguments))["written"]
        codes: list[str] = []
        found = data(await client.call_tool("check", {"path": "net.yaml"}))
        while not found["ok"]:
            codes += (fault["code"] for fault in found["diagnostics"])
            edits = [edit for one in found["diagnostics"] for edit in one["fixes"][0]["edits"]]
            arguments = {"path": "net.yaml", "text_edits": edits, "even_if_wrong": True}
            found = data(await client.call_tool("edit", arguments))
        assert codes == ["unknown-layer", "shape-mismatch"]
        assert "shape-mismatch" in text(await client.call_tool("explain", {"code": codes[1]}))
        step = {"do": "set", "path": "a", "value": {"out_features": 5}}
        assert data(await client.call_tool("edit", {"path": "net.yaml", "steps": [step]}))["ok"]
        emitted = data(await client.call_tool("emit", {"path": "net.yaml"}))["source"]
        assert "nn.Linear(8, 5)" in emitted
        assert "# a model of two inputs" in (tmp_path / "net.yaml").read_text()


@pytest.mark.asyncio
async def test_layers_of_the_user_are_known(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        """import mimgraph as mg
from torch import nn
print("not a message")

@mg.register
class Double(nn.Module):
    def forward(self, x):
        return 2 * x
"""
    )
    async with client_of_process("--import", "own", folder=tmp_path) as client:
        spec = "inputs: {x: [8]}\nnodes: {a: {layer: Double, from: x}}\noutputs: a\n"
        assert data(await client.call_tool("check", {"spec": spec}))["shapes"]["a"] == "(N, 8)"


@pytest.mark.asyncio
async def test_every_tool_has_schemas_and_a_description(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        for tool in (await client.list_tools()).tools:
            assert tool.description and tool.output_schema and tool.annotations, tool.name
            assert tool.input_schema["additionalProperties"] is False
            for name, argument in tool.input_schema["properties"].items():
                assert argument.get("description"), (tool.name, name)


@pytest.mark.asyncio
async def test_resources_can_be_read(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        listed = {str(one.uri) for one in (await client.list_resources()).resources}
        llms = (await client.read_resource("mimgraph://llms.txt")).contents[0].text  # type: ignore[union-attr]
        named = set(re.findall(r"\]\((mimgraph:\S+)\)", llms))
        assert {one for one in named if "/gallery/" in one or "/language/" in one} <= listed
        assert len(named) > 70
        for uri in sorted(named):
            (content,) = (await client.read_resource(uri)).contents
            assert len(content.text) > 100, uri  # type: ignore[union-attr]
        for uri in ("mimgraph://layers/Liner", "mimgraph://gallery/..", "file:///etc/passwd"):
            with pytest.raises(mcp.MCPError):
                await client.read_resource(uri)


@pytest.mark.asyncio
async def test_names_are_completed(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        for template, name, begun, expected in (
            ("layers/{name}", "name", "multih", ["MultiheadAttention"]),
            ("explain/{code}", "code", "cy", ["cycle"]),
            ("layers/{name}", "name", "zz", []),
        ):
            ref = types.ResourceTemplateReference(uri=f"mimgraph://{template}")
            found = await client.complete(ref, {"name": name, "value": begun})
            assert found.completion.values == expected


@pytest.mark.asyncio
async def test_a_prompt_begins_a_spec(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        arguments = {"task": "score an image", "parameters": "100000"}
        prompt = await client.get_prompt("write_a_spec", arguments)
        (message,) = prompt.messages
        assert isinstance(message.content, types.TextContent)
        assert "score an image It may" not in message.content.text
        assert "score an image. It may have at most 100000" in message.content.text


@pytest.mark.asyncio
async def test_arguments_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        for arguments in ({"pth": "a"}, {"path": [1]}, {"path": {"a": 1}}, {"params": 3}):
            result = await client.call_tool("check", arguments)
            assert result.is_error and "Traceback" not in text(result), arguments


def test_a_missing_sdk_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None; from mimgraph.cli import run; sys.argv[1:] = ['mcp']; run()"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 2 and not run.stdout
    assert "pip install 'mimgraph[mcp]'" in run.stderr and "Traceback" not in run.stderr
