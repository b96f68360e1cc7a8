"""`mimgraph draw` writes a picture, and says which blocks it left closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mimgraph
from tests.conftest import ROOT

SIAMESE = str(ROOT / "specs" / "siamese.yaml")
ROW = ", ".join(["Tanh"] * 40)
LONG = f"""
inputs: {{x: [4]}}
nodes: {{y: {{from: x, seq: [{ROW}]}}}}
outputs: y
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_says_which_depth_it_chose(run) -> None:  # type: ignore[no-untyped-def]
    Path("long.yaml").write_text(LONG)
    note = "blocks are open to depth 0 of 1; --depth all opens all"
    for options, is_said in (["--depth", "all"], False), (["--depth", "1"], False), ([], True):
        code, out = run("draw", "long.yaml", "-o", "long.svg", *options)
        assert (code, note in out.error) == (0, is_said)
    mimgraph.load("long.yaml").draw("same.svg")
    assert Path("same.svg").read_bytes() == Path("long.svg").read_bytes()


WRONG = """
inputs: {x: [4]}
nodes:
  y: {layer: ReLU, from: x}
  z: {layer: Linear, from: y, outs: 3}
outputs: z
"""


def test_a_wrong_spec_is_drawn_as_far_as_it_is_known(run) -> None:  # type: ignore[no-untyped-def]
    Path("wrong.yaml").write_text(WRONG)
    _, checked = run("check", "wrong.yaml")
    for name in ("m.svg", "m.png", "m.pdf", "m.dot", "m.mmd", "m.html"):
        code, out = run("draw", "wrong.yaml", "--faulty", "-o", name)
        assert code == 1
        assert checked.partition("\n")[0] in out.error
        assert "error[unknown-option]" in out.error
        assert Path(name).stat().st_size > 500
    assert "unknown-option" in Path("m.svg").read_text()


def test_a_wrong_spec_is_not_drawn_without_faulty(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("wrong.yaml").write_text(WRONG)
    code, out = run("draw", "wrong.yaml", "-o", "m.svg")
    assert code == 1 and "--faulty" not in out.error
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    _, out = run("draw", "wrong.yaml", "-o", "m.svg")
    assert "mimgraph draw SPEC --faulty draws" in out.error
    assert not Path("m.svg").exists()


def test_a_legal_spec_is_drawn_as_usual(run) -> None:  # type: ignore[no-untyped-def]
    Path("right.yaml").write_text(LONG)
    assert run("draw", "right.yaml", "--faulty", "-o", "a.svg")[0] == 0
    run("draw", "right.yaml", "-o", "b.svg")
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()


def test_without_an_output_the_page_opens_in_the_browser(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr("webbrowser.open", lambda address: not opened.append(address))
    code, out = run("draw", SIAMESE, "--theme", "dark")
    page = re.search(r"^wrote (.+\.html) \(", out.error, re.MULTILINE)
    assert code == 0 and page is not None and opened == [Path(page[1]).as_uri()]
    mimgraph.load(SIAMESE).draw(folder / "same.html", theme="dark")
    assert Path(page[1]).read_bytes() == (folder / "same.html").read_bytes()
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    code, out = run("draw", SIAMESE)
    assert code == 0 and "note: no browser could be opened: open this file in yours" in out.error
