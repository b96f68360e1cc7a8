"""Whatever a client sends gets an answer in time, in bounds, and leaves the server as it was."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.editor.mcp.clients import client_of, client_of_process, data, text

pytestmark = pytest.mark.slow

LEGAL = "inputs: {x: [8]}\nnodes: {a: {layer: ReLU, from: x}}\noutputs: a\n"
BOMB = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
HUGE = """inputs: {x: [4]}
blocks:
  a: {seq: [{Linear: 4}]}
  b: {params: {n: 1000}, seq: [{a: {repeat: $n}}]}
nodes: {y: {block: b, from: x, repeat: 1000}}
outputs: y
"""
TEXTS = {
    "empty": " ",
    "bomb": f"a0: &a0 [x]\n{BOMB}",
    "expansion": HUGE,
    "deep": "[" * 100_000,
    "large": "#" * 5_000_000,
    "a notebook": json.dumps({"cells": [{"source": "x" * 100} for _ in range(9_000)]}),
    "tags": "!!python/object/apply:os.system ['echo a > owned']",
    "another document": f"{LEGAL}---\n{LEGAL}",
    "null": "\0",
    "numbers": "inputs: {x: [1e400, 99999999999999999999, .nan]}",
    "powers": "params: {n: $(9 ** 9 ** 9 ** 9)}\n" + LEGAL,
    "a memory": "inputs: {x: [1099511627776]}\nnodes: {a: {layer: Linear, from: x, out_features: 99}}\noutputs: a",
    "escapes": LEGAL.replace("a:", '"\\e[2J\\u202e":'),
    "parts": "parts: {p: ../../../../etc/passwd}\n" + LEGAL,
    "many mistakes": "inputs: {x: [8]}\nnodes:\n"
    + "".join(f"  n{i}: {{layer: L{i}, from: y{i}}}\n" for i in range(1_200)),
    "long names": f"inputs: {{{'x' * 100_000}: [8]}}\n",
}


@pytest.mark.asyncio
async def test_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async with client_of(tmp_path) as client:
        for name, spec in TEXTS.items():
            result = await client.call_tool("check", {"spec": spec})
            told = text(result)
            assert len(told) < 70_000 and "Traceback" not in told and "root:" not in told, name
            assert len(json.dumps(result.structured_content)) < 300_000, name
        assert not (await client.call_tool("check", {"spec": LEGAL})).is_error
    assert not [*tmp_path.iterdir()]


@pytest.mark.asyncio
async def test_a_call_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    async with client_of(tmp_path, seconds=0.05) as client:
        result = await client.call_tool("draw", {"spec": LEGAL, "format": "png"})
        assert result.is_error and "took more than 0.05 s" in text(result)


@pytest.mark.asyncio
async def test_calls_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: list[bool] = []

    async with client_of(tmp_path) as client:

        async def call(number: int) -> None:
            spec = LEGAL.replace("8", str(number + 1))
            if number % 3 == 0:
                arguments: dict[str, Any] = {"path": f"n{number % 2}.yaml", "spec": spec}
                found.append(not (await client.call_tool("write", arguments)).is_error)
            else:
                checked = data(await client.call_tool("check", {"spec": spec}))
                found.append(checked["shapes"]["a"] == f"(N, {number + 1})")

        await asyncio.gather(*map(call, range(60)))
    assert found == [True] * 60
    assert sorted(path.name for path in tmp_path.iterdir()) == ["n0.yaml", "n1.yaml"]


@pytest.mark.asyncio
async def test_code_in_the_folder_is_not_imported(tmp_path: Path) -> None:
    for name in ("anyio", "yaml", "json", "mcp", "pydantic", "runpy", "networkx"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'owned')!r}, 'w')\n")
    (tmp_path / "net.yaml").write_text(LEGAL)
    async with client_of_process("-P", str(tmp_path), folder=tmp_path) as client:
        assert not (await client.call_tool("check", {"path": "net.yaml"})).is_error
    assert not (tmp_path / "owned").exists()


def test_lines_that_are_no_messages(tmp_path: Path) -> None:
    def message(method: str, **others: object) -> str:
        return json.dumps({"jsonrpc": "2.0", "method": method, **others})

    info = {"name": "test", "version": "1"}
    begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info}
    lines = [
        message("initialize", id=1, params=begin),
        *("{", "[1]", '"' + "x" * 1_000_000),
        message("nothing", id=9),
        message("notifications/initialized"),
        message("tools/call", id=2, params={"name": "check", "arguments": {"spec": LEGAL}}),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "mimgraph", "mcp", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write("\n".join(lines) + "\n")
        server.stdin.flush()
        for line in server.stdout:  # each line is a message
            answer = json.loads(line)
            if answer.get("id") == 2:
                assert answer["result"]["structuredContent"]["ok"]
                break
        else:
            raise AssertionError("the call has no answer")
        server.stdin.close()
        assert server.wait(10) == 0
