"""Specs are changed at places and written whole, only if they are legal, and only if nobody else wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mimgraph.editor.mcp.answers import Edit, Step
from mimgraph.editor.mcp.folder import Folder, WrongCall
from tests.conftest import needed
from tests.editor.mcp.conftest import LEGAL, Call
from tests.helpers.cases import each

needed("pydantic")

pytestmark = pytest.mark.slow  # with mcp comes pydantic, which the tools use

WRONG = LEGAL.replace("Linear", "Liner")
MEND = Edit(3, 14, 3, 19, "Linear")
SPOIL = Edit(3, 14, 3, 20, "Liner")


def test_a_text_is_mended(call: Call) -> None:
    text, data = call("edit", spec=WRONG, text_edits=[MEND])
    assert data["ok"] and data["spec"] == LEGAL and not data["written"]
    assert "-  a: {layer: Liner," in text and text.endswith(LEGAL)


def test_a_file_is_mended(call: Call) -> None:
    text, data = call("edit", path="wrong.yaml", text_edits=[MEND])
    assert data["written"] and text.startswith("wrote wrong.yaml\n\n--- wrong.yaml")
    assert Path("wrong.yaml").read_text() == LEGAL


def test_a_wrong_spec_is_not_written(call: Call) -> None:
    text, data = call("edit", path="net.yaml", text_edits=[SPOIL])
    assert not data["written"] and not data["ok"] and "did you mean Linear?" in text
    assert Path("net.yaml").read_text() == LEGAL
    assert call("edit", path="net.yaml", text_edits=[SPOIL], even_if_wrong=True)[1]["written"]
    assert Path("net.yaml").read_text() == WRONG


def test_a_spec_is_written(call: Call) -> None:
    assert call("write", path="new.yaml", spec=LEGAL)[1]["written"]
    assert Path("new.yaml").read_text() == LEGAL
    assert not call("write", path="new.yaml", spec=WRONG)[1]["written"]
    assert call("write", path="new.yaml", spec=LEGAL)[0].startswith("nothing changed")
    assert call("write", path="new.yaml", spec=LEGAL.replace("4}", "5}"))[1]["written"]


def test_a_read_only_server_writes_nothing(call: Call, folder: Folder) -> None:
    reads = Folder(folder.root, read_only=True)
    text, data = call("edit", reads, path="wrong.yaml", text_edits=[MEND])
    assert data["ok"] and not data["written"] and "read-only" in text
    assert Path("wrong.yaml").read_text() == WRONG


def test_a_file_that_somebody_else_wrote(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    read, answers = Folder.read, [WRONG.encode()]

    def reads(self: Folder, path: str) -> bytes:
        return answers.pop() if answers else read(self, path)

    Path("wrong.yaml").write_text(WRONG + "# somebody else\n")
    monkeypatch.setattr(Folder, "read", reads)
    with pytest.raises(WrongCall, match="changed meanwhile"):
        call("edit", path="wrong.yaml", text_edits=[MEND])
    assert "somebody else" in Path("wrong.yaml").read_text()


STEPS: dict[str, tuple[list[Step], str]] = {
    "add": (
        [
            Step("add", "b", {"layer": "ReLU", "from": "a"}, after="a"),
            Step("set", "", {"outputs": "b"}),
        ],
        LEGAL.replace("outputs: a", "  b: {layer: ReLU, from: a}\noutputs: b"),
    ),
    "replace": (
        [Step("replace", "a", {"layer": "Flatten"})],
        LEGAL.replace("layer: Linear, from: x, out_features: 4", "layer: Flatten, from: x"),
    ),
    "set": ([Step("set", "a", {"out_features": 5})], LEGAL.replace("4}", "5}")),
    "unset": (
        [Step("set", "a", {"bias": False, "activation": "ReLU"}), Step("set", "a", unset=["bias"])],
        LEGAL.replace("4}", "4, activation: ReLU}"),
    ),
    "insert and remove": (
        [Step("insert", "x", {"layer": "ReLU"}, name="r"), Step("remove", "r")],
        LEGAL,
    ),
    "rename": ([Step("rename", "x", name="rows")], LEGAL.replace("x", "rows")),
    "a size": ([Step("rename", "inputs.x", name="y")], LEGAL.replace("x", "y")),
}


@each("steps, expected", STEPS)
def test_steps(call: Call, steps: list[Step], expected: str) -> None:
    _, data = call("edit", spec=LEGAL, steps=steps)
    assert data["spec"] == expected and data["ok"]
    Path("net.yaml").write_text(LEGAL)
    call("edit", path="net.yaml", steps=steps)
    assert Path("net.yaml").read_text() == expected


WRONG_STEPS: dict[str, list[Step]] = {
    "step 2 cannot be changed:\nerror": [Step("set", "a", {"bias": True}), Step("remove", "b")],
    "did you mean a?": [Step("set", "aa", {"out_features": 5})],
    "exists already": [Step("add", "a", {"layer": "ReLU", "from": "x"})],
    "value has options": [Step("set", "a", 3)],
    "a node is a mapping": [Step("replace", "a", 3)],
    "cannot be the name": [Step("rename", "a", name="1")],
    "step 1 cannot be": [Step("insert", "a", 3, name="b")],
}


@each("message, steps", WRONG_STEPS.items())
def test_steps_that_cannot_be_made(call: Call, message: str, steps: list[Step]) -> None:
    with pytest.raises(WrongCall) as caught:
        call("edit", path="net.yaml", steps=steps)
    assert message in str(caught.value)
    assert Path("net.yaml").read_text() == LEGAL


def test_a_spec_is_formatted(call: Call) -> None:
    rough = LEGAL.replace("{x: [8]}", '{ "x":[8] }').replace("Linear", "Liner")
    Path("net.yaml").write_text(rough)
    text, data = call("format", path="net.yaml")
    assert data["written"] and not data["ok"] and "+inputs: {x: [8]}" in text
    assert Path("net.yaml").read_text() == WRONG
    assert call("format", path="net.yaml")[0].startswith("nothing changed")
    with pytest.raises(WrongCall, match="cannot be formatted"):
        call("format", spec="a: [")


def test_a_text_that_is_no_yaml_has_no_steps(call: Call) -> None:
    with pytest.raises(WrongCall, match="the spec cannot be changed"):
        call("edit", spec="a: [", steps=[Step("remove", "a")])
    with pytest.raises(WrongCall, match="give steps or text_edits"):
        call("edit", spec=LEGAL)


REFUSED: dict[str, list[Edit]] = {
    "no line 9": [Edit(9, 1, 9, 1, "x")],
    "no line 0": [Edit(0, 1, 1, 1, "x")],
    "no line 3, column 90": [Edit(3, 1, 3, 90, "x")],
    "column -1": [Edit(3, -1, 3, 1, "x")],
    "ends before": [Edit(3, 5, 3, 4, "x")],
    "overlap": [Edit(3, 3, 3, 9, "x"), Edit(3, 5, 3, 12, "y")],
    "at most": [Edit(1, 1, 1, 1, "x")] * 1_001,
}


@each("message, edits", REFUSED.items())
def test_edits_that_cannot_be_made(call: Call, message: str, edits: list[Edit]) -> None:
    with pytest.raises(WrongCall, match=message):
        call("edit", path="net.yaml", text_edits=edits, even_if_wrong=True)
    assert Path("net.yaml").read_text() == LEGAL


@each(
    "arguments",
    [
        {"path": "../new.yaml", "spec": LEGAL},
        {"path": "new.py", "spec": LEGAL},
        {"path": "", "spec": LEGAL},
        {"path": "new.yaml", "spec": ""},
        {"path": "new.yaml", "spec": "\ud800"},
        {"path": "new.yaml", "spec": "on: push\n", "even_if_wrong": True},
        {"path": "new.yaml", "spec": "a: [", "even_if_wrong": True},
    ],
)
def test_writes_that_are_refused(call: Call, arguments: dict[str, Any]) -> None:
    with pytest.raises(WrongCall):
        call("write", **arguments)
    assert sorted(path.name for path in Path().iterdir()) == ["net.yaml", "wrong.yaml"]
