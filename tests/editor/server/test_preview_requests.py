"""An editor starts the preview of a spec, moves its cursor, and shows the lines that are clicked."""

from __future__ import annotations

import asyncio
import json
from urllib.request import Request, urlopen

import pytest

from tests.conftest import needed
from tests.helpers.spec_editor import Editor

needed("pytest_lsp")

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]  # each test starts a process

SPEC = """inputs: {x: [5]}
nodes:
  y: {layer: Linear, from: x, out_features: 2}
  z: {layer: ReLU, from: y}
outputs: z
"""


async def next_event(address: str, name: str) -> dict[str, object]:
    """Return the data of the first event of a name that a new page gets."""

    def read() -> dict[str, object]:
        with urlopen(f"{address}events", timeout=10) as events:
            for line in events:
                if line == f"event: {name}\n".encode():
                    found: dict[str, object] = json.loads(next(events).removeprefix(b"data: "))
                    return found
        raise AssertionError(f"no event {name}")

    return await asyncio.to_thread(read)


async def test_a_preview(editor: Editor) -> None:
    client, uri = editor.client, editor.uri("model.yaml")
    editor.open("model.yaml", SPEC)
    address = await editor.run("preview", uri, False)
    assert address == await editor.run("preview", uri, False)
    await asyncio.sleep(0.5)  # it is drawn in a thread
    assert (await next_event(address, "picture"))["summary"] == "Model: 2 nodes"

    waiting = asyncio.create_task(next_event(address, "cursor"))
    await asyncio.sleep(0.2)
    client.protocol.notify(
        "mimgraph/cursor",
        {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 2}},
    )
    assert await waiting == {"node": "z"}

    body = json.dumps({"node": "y"}).encode()
    await asyncio.to_thread(urlopen, Request(f"{address}open", body, method="POST"))
    await asyncio.sleep(0.2)
    (shown,) = client.shown_documents
    assert (shown.uri, shown.selection.start.line) == (uri, 2)

    editor.change("model.yaml", SPEC.replace("ReLU", "ReLUU"))
    await asyncio.sleep(0.5)
    (fault,) = (await next_event(address, "picture"))["faults"]  # type: ignore[misc]
    assert (fault["code"], fault["node"]) == ("unknown-layer", "z")


async def test_what_is_no_open_spec_has_no_preview(editor: Editor) -> None:
    assert await editor.run("preview", "file:///nowhere/model.yaml") is None
