"""Packages bring picture formats: functions of the graph, found by the ending of a file's name."""

from __future__ import annotations

from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.picture import RenderError
from tests.helpers.plugin_packages import declare, declare_example, use

ODD = """\
def number(graph): return 3
def fails(graph): raise KeyError("y")
def every(graph, **options): return repr(sorted(options))
constant = 3
"""


def graph() -> mg.Graph:
    return mg.loads("inputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n")


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_example(tmp_path / "site")
    names = ("number", "fails", "every", "constant", "nowhere")
    entries = {"mimgraph.pictures": {name: f"acme_odd:{name}" for name in (*names, "svg")}}
    declare(tmp_path / "site", "acme-odd", "1.0", entries, acme_odd=ODD)
    use(tmp_path / "site", monkeypatch)


def test_a_graph_is_drawn_with_the_options_that_the_function_takes(tmp_path: Path) -> None:
    graph().draw(tmp_path / "model.tex", direction="LR")
    assert "[box, right=of x] (y) {y: ReLU}" in (tmp_path / "model.tex").read_text()
    graph().draw(tmp_path / "model.every", theme="dark")
    assert "theme" in (tmp_path / "model.every").read_text()


def test_our_own_formats_come_first(tmp_path: Path) -> None:
    graph().draw(tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("ending", "options", "error", "message"),
    [
        ("tex", {"theme": "dark"}, ValueError, "of acme-blocks 0.1 takes no theme: remove it"),
        ("number", {}, RenderError, "of acme-odd 1.0 returns int, not text or bytes"),
        ("fails", {}, RenderError, "of acme-odd 1.0 cannot draw Model: KeyError: 'y'"),
        ("constant", {}, RenderError, "of acme-odd 1.0 is int, not a function of a graph"),
        ("nowhere", {}, RenderError, "of acme-odd 1.0 cannot be imported"),
        ("gif", {}, ValueError, "its name must end in .dot, .html, .mmd, .pdf, .png, .svg, .const"),
    ],
)
def test_a_wrong_format_names_its_package(
    ending: str, options: dict[str, str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        graph().draw(tmp_path / f"model.{ending}", **options)
    assert message in str(caught.value)
    assert not (tmp_path / f"model.{ending}").exists()


def test_a_change_has_no_graph_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="draws a graph, and not a change"):
        mg.diff(graph(), graph().rename("y", "z")).draw(tmp_path / "diff.tex")
