"""Graphviz is found and run with limits; each failure becomes an error of one line."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

import mimgraph
from mimgraph.picture import RenderError
from mimgraph.picture.formats import RENDERERS
from mimgraph.picture.layout import graphviz

SPEC = "{inputs: {x: [4]}, nodes: {y: {layer: Linear, from: x, out_features: 2}}, outputs: y}"


@pytest.fixture
def graph() -> mimgraph.Graph:
    return mimgraph.loads(SPEC)


@pytest.fixture
def without_pure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path / "no scripts"))
    monkeypatch.setenv("PATH", "")


def stand_in(folder: Path, script: str | None) -> None:
    """Make a program called `dot` that runs a shell script; None makes a file that cannot be run."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n" if script else "\x7f")
    program.chmod(0o755)


def test_an_installed_dot_changes_no_byte(
    graph: mimgraph.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    stand_in(bin_, "exit 3")
    for name, path in (("without", ""), ("with", str(bin_))):
        monkeypatch.setenv("PATH", path)
        for suffix in RENDERERS:
            graph.draw(tmp_path / f"{name}{suffix}")
    for suffix in RENDERERS:
        found = [(tmp_path / f"{name}{suffix}").read_bytes() for name in ("with", "without")]
        assert found[0] == found[1]


@pytest.mark.usefixtures("without_pure")
def test_without_graphviz_only_dot_text_is_written(graph: mimgraph.Graph, tmp_path: Path) -> None:
    graph.draw(tmp_path / "m.dot")
    with pytest.raises(RenderError, match="pip install graphviz-pure, or install dot"):
        graph.draw(tmp_path / "m.svg")


@pytest.mark.usefixtures("without_pure")
@pytest.mark.parametrize(
    ("script", "error"),
    [
        ('echo \'{"bb": "0,0"}\'', "gave no layout"),
        ("echo nonsense", "gave no layout"),
        ("echo 'Error: out of paper' >&2; exit 3", "Graphviz failed: Error: out of paper"),
        ("exit 3", "Graphviz failed: 3"),
        ("sleep 9", "took longer than 0.2 seconds"),
        (None, "cannot be run"),
    ],
    ids=["a part", "nonsense", "fails", "says nothing", "hangs", "no program"],
)
def test_a_failing_graphviz_is_an_error_and_keeps_the_old_file(
    graph: mimgraph.Graph,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str | None,
    error: str,
) -> None:
    stand_in(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(graphviz, "TIME_LIMIT", 0.2)
    (tmp_path / "m.svg").write_text("old")
    with pytest.raises(RenderError, match=error):
        graph.draw(tmp_path / "m.svg")
    assert (tmp_path / "m.svg").read_text() == "old"


@pytest.mark.usefixtures("without_pure")
def test_graphviz_is_stopped_at_its_limit_of_processor_time(
    graph: mimgraph.Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, "while :; do :; done")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(graphviz, "CPU_LIMIT", 1)
    with pytest.raises(RenderError, match="needs more than 1 seconds"):
        graph.draw(tmp_path / "m.svg")
    assert not (tmp_path / "m.svg").exists()


def test_a_picture_with_too_many_edges_is_refused(tmp_path: Path) -> None:
    sources = ", ".join(["x"] * 10_000)  # and one edge to the output
    spec = f"{{inputs: {{x: [4]}}, nodes: {{y: {{merge: stack, from: [{sources}]}}}}, outputs: y}}"
    graph = mimgraph.loads(spec)
    with pytest.raises(RenderError, match="10,001 edges, and at most 10,000 are drawn"):
        graph.draw(tmp_path / "a.svg")
    graph.draw(tmp_path / "a.dot")
    assert not (tmp_path / "a.svg").exists()
