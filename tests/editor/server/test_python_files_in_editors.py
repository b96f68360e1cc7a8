"""An editor checks the graphs of a Python file when its user asks, and never else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.conftest import needed
from tests.helpers.spec_editor import Editor

pytest_lsp = needed("pytest_lsp")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]  # each test starts a process

TEXT = """import mimgraph as mg
from mimgraph import layers, merges
from pathlib import Path
Path(__file__).with_suffix(".ran").touch()
x = mg.Input("x", (8,))
y = layers.Linear(4)(x)
z = merges.add(x, y)
"""
BEGUN = "open('begun', 'w').close()\n"
WHOLE = types.Range(types.Position(0, 0), types.Position(100, 0))


async def begun(folder: Path) -> None:
    """Wait until a run in a folder has come so far."""
    for _ in range(100):
        if (folder / "begun").exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the file does not run")


async def hints(editor: Editor) -> list[str]:
    params = types.InlayHintParams(editor.document("model.py"), WHOLE)
    return [f"{one.position} {one.label}" for one in await editor.ask("inlay_hint", params) or ()]


async def test_a_file_runs_when_its_user_asks(editor: Editor) -> None:
    path, uri = editor.folder / "model.py", editor.uri("model.py")
    editor.open("model.py", TEXT, "python")
    (lens,) = await editor.ask("code_lens", types.CodeLensParams(editor.document("model.py")))
    assert lens.range.start.line == 0
    assert lens.command.command == "mimgraph.checkPython"
    assert list(lens.command.arguments) == [uri]
    assert not await hints(editor)
    assert not path.with_suffix(".ran").exists()
    answer = await editor.run("checkPython", uri)
    assert path.with_suffix(".ran").exists()
    assert dict(answer) == {
        "summary": "1 mistake",
        "calls": 2,
        "mistakes": 1,
        "complete": False,
        "output": "",
    }
    (fault,) = editor.client.diagnostics[uri]
    assert (fault.code, str(fault.range)) == ("shape-mismatch", "6:18-6:19")
    assert fault.related_information and fault.related_information[0].location.uri == uri
    assert await hints(editor) == ["4:23 (N, 8)", "5:23 (N, 4)"]
    path.with_suffix(".ran").unlink()
    editor.insert("model.py", 5, 0, "# new\n")
    await editor.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert await hints(editor) == ["4:23 ~ (N, 8)", "6:23 ~ (N, 4)"]
    assert str(editor.client.diagnostics[uri][0].range) == "7:18-7:19"
    assert not path.with_suffix(".ran").exists()


async def test_what_changes_during_a_run(editor: Editor) -> None:
    text = f'import time, mimgraph as mg\nx = mg.Input("x", (8,))\n{BEGUN}time.sleep(0.5)\n1 / 0\n'
    editor.open("model.py", text, "python")
    run = asyncio.create_task(editor.run("checkPython", editor.uri("model.py")))
    await begun(editor.folder)
    editor.insert("model.py", 0, 0, "\n\n")
    assert (await run)["mistakes"] == 1
    assert await hints(editor) == ["3:23 ~ (N, 8)"]
    assert str(editor.client.diagnostics[editor.uri("model.py")][0].range) == "6:0-6:5"


async def test_closing_a_file_ends_its_run(editor: Editor) -> None:
    late = "import time\ntime.sleep(8)\nopen('late', 'w').close()\n"
    editor.open("model.py", BEGUN + late, "python")
    uri = editor.uri("model.py")
    run = asyncio.create_task(editor.run("checkPython", uri))
    await begun(editor.folder)
    assert await editor.run("checkPython", uri) is None  # one at a time
    editor.close("model.py")
    await run
    assert not (editor.folder / "late").exists()


def processes() -> str:
    """Return the command lines of all processes."""
    listed = subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True, check=True)
    return listed.stdout


async def test_the_end_of_the_server_ends_a_run(tmp_path: Path) -> None:
    client = pytest_lsp.make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "mimgraph", "lsp")
    await client.initialize_session(
        types.InitializeParams(capabilities=pytest_lsp.client_capabilities("visual-studio-code"))
    )
    sleep = f"sleep 61.{os.getpid()}"
    text = f"import subprocess\nchild = subprocess.Popen({sleep.split()})\n{BEGUN}child.wait()\n"
    editor = Editor(client, tmp_path)
    editor.open("model.py", text, "python")
    run = asyncio.create_task(editor.run("checkPython", editor.uri("model.py")))
    await begun(tmp_path)
    assert sleep in processes()
    with suppress(JsonRpcException):  # of pygls, which cancels what has no answer
        await client.shutdown_async(None)
    client.exit(None)
    for _ in range(100):
        if sleep not in processes():
            break
        await asyncio.sleep(0.1)
    else:
        raise AssertionError("the program that the file started goes on")
    with suppress(JsonRpcException):
        await run
    await client.stop()


async def test_other_files_are_left_alone(editor: Editor) -> None:
    editor.open("other.py", "import math\n", "python")
    lenses = await editor.ask("code_lens", types.CodeLensParams(editor.document("other.py")))
    assert not lenses
    editor.close("other.py")
    await editor.client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert await editor.run("checkPython", editor.uri("other.py")) is None
    assert "open the Python file" in editor.client.messages[-1].message
