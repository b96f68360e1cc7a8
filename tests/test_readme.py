"""The README is short and up to date: its snippets run, its class and picture are made from its spec."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mimgraph as mg
from mimgraph.cli.parser import COMMANDS
from tests.conftest import ROOT
from tests.docs.snippets import run, snippets

README = ROOT / "README.md"
TEXT = README.read_text()
PICTURE = ROOT / ".github" / "image_numerical.svg"


def blocks(language: str) -> list[str]:
    return [snippet.text for snippet in snippets(TEXT) if snippet.language == language]


def test_the_snippets_run_and_print_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewrite: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    now = run(TEXT, tmp_path)
    if rewrite:
        README.write_text(now)
    assert README.read_text() == now
    assert mg.load("model.yaml") == mg.loads(blocks("yaml")[0])


def test_the_class_is_emitted_from_the_spec() -> None:
    assert mg.loads(blocks("yaml")[0]).source() == blocks("python")[0]


def test_the_spec_is_short() -> None:
    assert len(blocks("yaml")[0].splitlines()) <= 10


def test_the_lowest_torch_is_the_one_in_pyproject() -> None:
    lowest = re.search(r"Tested with torch ([\d.]+),", TEXT)
    assert lowest is not None
    assert f'"torch>={lowest[1]}"' in (ROOT / "pyproject.toml").read_text()


def test_the_picture_is_drawn_by_the_tool(rewrite: bool, tmp_path: Path) -> None:
    mg.loads(blocks("yaml")[0]).draw(tmp_path / "now.svg")
    now = (tmp_path / "now.svg").read_text()
    if rewrite:
        PICTURE.write_text(now)
    assert PICTURE.read_text() == now


def test_every_command_is_listed() -> None:
    table = TEXT.partition("## Commands")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `.*?mimgraph (\w+)", table, re.MULTILINE)) == set(COMMANDS)


def test_every_link_into_the_repository_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", TEXT)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_can_be_read_in_a_few_minutes() -> None:
    assert len(TEXT.splitlines()) <= 170
