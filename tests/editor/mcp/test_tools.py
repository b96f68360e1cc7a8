"""The tools answer a language model with diagnostics, shapes and pages of the reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mimgraph.editor.mcp.answers import Edit
from mimgraph.editor.mcp.folder import Folder, WrongCall
from tests.conftest import needed
from tests.editor.mcp.conftest import LEGAL, Call
from tests.helpers.cases import each

needed("pydantic")

pytestmark = pytest.mark.slow  # with mcp comes pydantic, which the tools use

WRONG = LEGAL.replace("Linear", "Liner")


def test_a_legal_spec_is_told_by_its_shapes(call: Call) -> None:
    text, data = call("check", path="net.yaml")
    assert text == ("Model is legal: 1 nodes, 36 parameters\ninputs: x (N, 8)\noutputs: a (N, 4)")
    assert data["ok"] and data["shapes"] == {"x": "(N, 8)", "a": "(N, 4)"}


def test_a_spec_that_costs_too_much_is_told_by_its_largest_nodes(call: Call) -> None:
    text, data = call(
        "check",
        spec="limits: {parameters: 10}\ninputs: {x: [8]}\n"
        "nodes: {y: {layer: Linear, from: x, out_features: 4}}\noutputs: y\n",
    )
    assert not data["ok"] and "36 parameters exceed the limit of 10" in text
    assert "the largest node is y with 36" in text


def test_a_wrong_spec_is_told_by_its_mistakes(call: Call) -> None:
    text, data = call("check", spec=WRONG)
    (fault,) = data["diagnostics"]
    assert not data["ok"] and data["shapes"] == {"x": "(N, 8)"}
    assert (fault.code, fault.file, fault.line, fault.column) == ("unknown-layer", "<spec>", 3, 14)
    assert fault.help == "did you mean Linear?" and fault.help in text
    (fix,) = fault.fixes
    assert fix.edits == [Edit(3, 14, 3, 19, "Linear")]
    assert '"end_column": 19, "text": "Linear"}]' in text


def test_params_are_replaced(call: Call) -> None:
    spec = f"params: {{width: 4}}\n{LEGAL.replace('4}', '$width}')}"
    _, data = call("check", spec=spec, params={"width": 3})
    assert data["outputs"] == {"a": "(N, 3)"}


def test_parts_are_those_of_the_folder(call: Call, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    spec = "inputs: {x: [8]}\nparts: {net: ../net.yaml}\nnodes: {a: {block: net, from: x}}\noutputs: a\n"
    (tmp_path / "sub" / "whole.yaml").write_text(spec)
    (tmp_path / "whole.yaml").write_text(spec.replace("../", ""))
    assert call("check", path="whole.yaml")[1]["ok"]
    _, data = call("check", path="sub/whole.yaml")  # a part lies below its spec
    assert [one.code for one in data["diagnostics"]] == ["bad-part"]
    (tmp_path / ".env").write_text("SECRET=1")
    text, _ = call("write", path="whole.yaml", spec=spec.replace("../net.yaml", ".env"))
    assert "bad-part" in text and "SECRET" not in text
    (tmp_path / "net.yaml").write_text(WRONG)
    _, data = call("check", path="whole.yaml")
    (fault,) = data["diagnostics"]
    assert (fault.code, fault.file, fault.fixes) == ("unknown-layer", "net.yaml", [])


def test_many_mistakes_are_cut(call: Call) -> None:
    nodes = "".join(f"  n{i}: {{layer: Liner, from: x}}\n" for i in range(80))
    text, data = call("check", spec=f"inputs: {{x: [8]}}\nnodes:\n{nodes}outputs: n0\n")
    assert len(data["diagnostics"]) == 50 and data["left_out"] > 0
    assert text.startswith("1") and "more" in text


def test_explain(call: Call) -> None:
    text, data = call("explain", code="cycle")
    assert text == data["page"] and text.startswith("# cycle")
    assert "cycle" in call("explain")[1]["names"]


def test_layers(call: Call) -> None:
    text, data = call("layers", name="Conv2d")
    assert "out_channels" in text and data["found"][0]["name"] == "Conv2d"
    found = call("layers", search="gated")[1]["found"]
    assert [one["name"] for one in found] == ["GLU", "GRU", "gated"]
    assert len(call("layers")[1]["found"]) > 100


def test_gallery_and_specs(call: Call) -> None:
    assert call("gallery", name="neumf")[0].startswith("name: NeuMF")
    assert {"name", "about"} <= call("gallery")[1]["entries"][0].keys()
    assert call("specs")[1] == {"specs": ["net.yaml", "wrong.yaml"], "complete": True}


def test_the_manual_is_here(call: Call) -> None:
    text, data = call("manual")
    assert "mimgraph://language/nodes" in text and "nodes" in data["names"]
    for name in data["names"]:
        text, data = call("manual", page=name)
        assert text.startswith("# ") and data["name"] == name
        prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)]*)\)", prose):
            assert re.match(r"https://|#|mimgraph://\w+/[\w-]+(#|$)", target), (name, target)


def test_summary(call: Call) -> None:
    spec = LEGAL.replace("[8]", "[T, 8]")
    text, data = call("summary", spec=spec, sizes={"T": 5}, batch=2)
    assert data["totals"]["params"] == 36 and data["rows"][1]["shape"] == "(2, 5, 4)"
    assert "36 parameters" in text
    assert not call("summary", spec=WRONG)[1]["ok"]


def test_emit(call: Call) -> None:
    text, data = call("emit", path="net.yaml")
    assert data["source"] == text and "nn.Linear(8, 4)" in text and not data["next_line"]
    assert call("emit", path="net.yaml", first_line=3)[0] == "".join(
        text.splitlines(keepends=True)[2:]
    )
    assert call("emit", path="wrong.yaml")[1]["source"] == ""


def test_a_long_source_is_given_in_pieces(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = call("emit", path="net.yaml")[0]
    monkeypatch.setattr("mimgraph.editor.mcp.tools.make.MOST_CODE", 200)
    source, line, pieces = "", 1, 0
    while line:
        text, data = call("emit", path="net.yaml", first_line=line)
        source, line, pieces = source + data["source"], data["next_line"], pieces + 1
        assert not line or text.endswith(f"... cut: line {line} is next")
    assert source == whole and pieces > 1


@each("format", ["mermaid", "svg", "dot", "png"])
def test_draw(folder: Folder, format: str) -> None:
    from mimgraph.editor.mcp.tools import TOOLS

    for path, color in (("net.yaml", ""), ("wrong.yaml", "no layer is called")):
        text, data, png = TOOLS["draw"](folder, path=path, format=format)
        assert png.startswith(b"\x89PNG") is (format == "png") and color in text
        assert data.ok is (path == "net.yaml") and (data.picture in text)
        assert bool(data.picture) is (format != "png")


def test_diff(call: Call) -> None:
    text, data = call("diff", old_path="net.yaml", new_spec=LEGAL.replace("4}", "5}"))
    assert not data["equal"] and "out_features 4 → 5" in text
    assert data["changes"]["changes"][0]["name"] == "a"
    assert call("diff", old_path="net.yaml", new_spec=f"# the same\n{LEGAL}")[1]["equal"]
    assert not call("diff", old_path="net.yaml", new_path="wrong.yaml")[1]["ok"]


WRONG_CALLS = {
    ("check", ()): "give either path, a file, or spec, a text",
    ("check", (("path", "net.yaml"), ("spec", LEGAL))): "give either path",
    ("check", (("path", "nut.yaml"),)): "there is no file nut.yaml: did you mean net.yaml?",
    ("check", (("spec", LEGAL), ("params", (("w", 1),)))): "no param is called 'w'",
    ("check", (("spec", "\ud800"),)): "half of a character",
    ("explain", (("code", "cycl"),)): "did you mean cycle?",
    ("layers", (("name", "Liner"),)): "did you mean Linear?",
    ("layers", (("name", "a"), ("search", "b"))): "not both",
    ("layers", (("search", "zzzz"),)): "no layer, merge or key has 'zzzz'",
    ("manual", (("page", "node"),)): "there are index, axes",
    ("summary", (("spec", LEGAL), ("batch", -1))): "batch",
    ("emit", (("spec", LEGAL), ("first_line", 1_000))): "lines 1 to",
    ("draw", (("spec", LEGAL), ("depth", -1))): "depth",
    ("diff", (("old_path", "net.yaml"),)): "give either new_path, a file, or new_spec",
    ("gallery", (("name", "bert"),)): "did you mean bert_base?",
}


@each("called, message", WRONG_CALLS.items())
def test_wrong_calls(call: Call, called: tuple[str, Any], message: str) -> None:
    tool, given = called
    arguments = {name: dict(value) if name == "params" else value for name, value in given}
    with pytest.raises(WrongCall, match=message.replace("?", r"\?")):
        call(tool, **arguments)


def test_a_worker_gives_plain_data(folder: Folder) -> None:
    from mimgraph.editor.mcp.worker import answer

    data = answer(folder, "check", {"spec": WRONG}).data
    assert data["diagnostics"][0]["code"] == "unknown-layer"
