"""The ending of a file's name chooses the format, and every text for users names every ending."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.cli.arguments import PICTURES
from mimgraph.picture.formats import RENDERERS, png
from tests.conftest import ROOT, SPECS

SPEC = "{inputs: {x: [4]}, nodes: {y: {layer: Linear, from: x, out_features: 2}}, outputs: y}"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("m.dot", b"digraph "),
        ("m.html", b"<!doctype html>"),
        ("m.mmd", b"%%{init"),
        ("m.pdf", b"%PDF-"),
        ("m.png", b"\x89PNG\r\n"),
        ("m.svg", b"<?xml"),
        ("M.SVG", b"<?xml"),
    ],
)
def test_the_ending_chooses_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    mg.loads(SPEC).draw(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["model.gif", "model", ".svg"])
def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"\.dot, \.html, \.mmd, \.pdf, \.png, \.svg"):
        mg.loads(SPEC).draw(tmp_path / name)


def test_texts_for_users_name_every_ending() -> None:
    texts = {
        "help of draw": PICTURES,
        "docstring of draw": mg.Graph.draw.__doc__ or "",
        "README": (ROOT / "README.md").read_text(),
    }
    lost = [
        (name, ending) for name, text in texts.items() for ending in RENDERERS if ending not in text
    ]
    assert lost == []


PAINTED = {".pdf", ".png", ".svg"}  # slow; tests/picture/test_figure.py writes each figure as .svg


def draw_in(folder: Path, spec: Path, endings: Collection[str]) -> None:
    graph = mg.load(spec)
    for ending in endings:
        graph.draw(folder / f"m{ending}")
        assert (folder / f"m{ending}").stat().st_size > 100, ending


def test_every_spec_is_drawn(spec: Path, tmp_path: Path) -> None:
    draw_in(tmp_path, spec, RENDERERS.keys() - PAINTED)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::mimgraph.picture.errors.SmallWarning")
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_is_painted(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "SCALE", 0.5)  # most of the time goes into pixels
    draw_in(tmp_path, path, PAINTED)


def test_pictures_and_summaries_import_no_torch() -> None:
    code = (
        "import sys, mimgraph.picture, mimgraph.summary.summary; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
