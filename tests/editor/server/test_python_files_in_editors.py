"""An editor checks the graphs of a Python file when its user asks, and never else."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.conftest import needed

if TYPE_CHECKING:
    from pytest_lsp import LanguageClient

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


def opened(client: LanguageClient, path: Path, text: str) -> types.TextDocumentIdentifier:
    item = types.TextDocumentItem(path.as_uri(), "python", 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    return types.TextDocumentIdentifier(path.as_uri())


async def checked(client: LanguageClient, uri: str) -> Any:
    return await client.workspace_execute_command_async(
        types.ExecuteCommandParams("mimgraph.checkPython", [uri])
    )


async def begun(folder: Path) -> None:
    """Wait until a run in a folder has come so far."""
    for _ in range(100):
        if (folder / "begun").exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the file does not run")


async def hints(client: LanguageClient, file: types.TextDocumentIdentifier) -> list[str]:
    found = await client.text_document_inlay_hint_async(types.InlayHintParams(file, WHOLE))
    return [f"{one.position} {one.label}" for one in found or ()]


def changed(
    client: LanguageClient, file: types.TextDocumentIdentifier, line: int, text: str
) -> None:
    start = types.Position(line, 0)
    change = types.TextDocumentContentChangePartial(types.Range(start, start), text)
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(2, file.uri), [change]
        )
    )


async def test_a_file_runs_when_its_user_asks(client: LanguageClient, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    file = opened(client, path, TEXT)
    (lens,) = await client.text_document_code_lens_async(types.CodeLensParams(file)) or ()
    assert lens.range.start.line == 0 and lens.command is not None
    assert lens.command.command == "mimgraph.checkPython"
    assert list(lens.command.arguments or ()) == [file.uri]
    assert not await hints(client, file)
    assert not path.with_suffix(".ran").exists()
    answer = await checked(client, file.uri)
    assert path.with_suffix(".ran").exists()
    assert dict(answer) == {
        "summary": "1 mistake",
        "calls": 2,
        "mistakes": 1,
        "complete": False,
        "output": "",
    }
    (fault,) = client.diagnostics[file.uri]
    assert (fault.code, str(fault.range)) == ("shape-mismatch", "6:18-6:19")
    assert fault.related_information and fault.related_information[0].location.uri == file.uri
    assert await hints(client, file) == ["4:23 (N, 8)", "5:23 (N, 4)"]
    path.with_suffix(".ran").unlink()
    changed(client, file, 5, "# new\n")
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert await hints(client, file) == ["4:23 ~ (N, 8)", "6:23 ~ (N, 4)"]
    assert str(client.diagnostics[file.uri][0].range) == "7:18-7:19"
    assert not path.with_suffix(".ran").exists()


async def test_what_changes_during_a_run(client: LanguageClient, tmp_path: Path) -> None:
    text = f'import time, mimgraph as mg\nx = mg.Input("x", (8,))\n{BEGUN}time.sleep(0.5)\n1 / 0\n'
    file = opened(client, tmp_path / "model.py", text)
    run = asyncio.create_task(checked(client, file.uri))
    await begun(tmp_path)
    changed(client, file, 0, "\n\n")
    assert (await run)["mistakes"] == 1
    assert await hints(client, file) == ["3:23 ~ (N, 8)"]
    assert str(client.diagnostics[file.uri][0].range) == "6:0-6:5"


async def test_closing_a_file_ends_its_run(client: LanguageClient, tmp_path: Path) -> None:
    late = "import time\ntime.sleep(8)\nopen('late', 'w').close()\n"
    file = opened(client, tmp_path / "model.py", BEGUN + late)
    run = asyncio.create_task(checked(client, file.uri))
    await begun(tmp_path)
    assert await checked(client, file.uri) is None  # one at a time
    client.text_document_did_close(types.DidCloseTextDocumentParams(file))
    await run
    assert not (tmp_path / "late").exists()


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
    file = opened(client, tmp_path / "model.py", text)
    run = asyncio.create_task(checked(client, file.uri))
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


async def test_other_files_are_left_alone(client: LanguageClient, tmp_path: Path) -> None:
    file = opened(client, tmp_path / "other.py", "import math\n")
    assert not await client.text_document_code_lens_async(types.CodeLensParams(file))
    client.text_document_did_close(types.DidCloseTextDocumentParams(file))
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    assert await checked(client, file.uri) is None
    assert "open the Python file" in client.messages[-1].message
