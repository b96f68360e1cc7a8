"""Colours and widths follow the terminal, its variables and `--color`."""

from __future__ import annotations

import io
import os
from typing import TextIO

import pytest

from mimgraph.support.terminal import Color, color, columns, wants_color

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS")


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


FILE, TERMINAL = io.StringIO(), Terminal()


@pytest.mark.parametrize(
    ("stream", "variables", "colored"),
    [
        (FILE, {}, False),
        (TERMINAL, {}, True),
        (TERMINAL, {"NO_COLOR": "1"}, False),
        (TERMINAL, {"NO_COLOR": ""}, True),
        (TERMINAL, {"TERM": "dumb"}, False),
        (TERMINAL, {"CLICOLOR": "0"}, False),
        (FILE, {"CLICOLOR": "1"}, False),
        (FILE, {"FORCE_COLOR": "1"}, True),
        (FILE, {"FORCE_COLOR": "0"}, False),
        (FILE, {"CLICOLOR_FORCE": "1"}, True),
        (TERMINAL, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_variables_decide_about_colour(
    monkeypatch: pytest.MonkeyPatch, stream: TextIO, variables: dict[str, str], colored: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_color(stream) is colored


@pytest.mark.parametrize(
    ("choice", "variable", "colored"),
    [("always", "NO_COLOR", True), ("never", "FORCE_COLOR", False), ("auto", "FORCE_COLOR", True)],
)
def test_an_option_overrides_the_variables(
    monkeypatch: pytest.MonkeyPatch, choice: Color, variable: str, colored: bool
) -> None:
    monkeypatch.setenv(variable, "1")
    with color(choice):
        assert wants_color(FILE) is colored


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert columns(FILE) is None
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((72, 20)))
    with open(os.devnull) as stream:
        assert columns(stream) == 72
    monkeypatch.setenv("COLUMNS", "100")
    assert columns(FILE) == 100
