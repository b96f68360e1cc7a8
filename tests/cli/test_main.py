"""The terminal gets colour, warnings beside data, and the place to read more."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SIMPLE, WRONG


def test_draw_says_that_a_picture_is_too_long_to_read(run, tmp_path: Path) -> None:
    rows = (f"  n{i}: {{layer: ReLU, from: {f'n{i - 1}' if i else 'x'}}}\n" for i in range(300))
    spec = tmp_path / "long.yaml"
    spec.write_text(f"inputs: {{x: [4]}}\nnodes:\n{''.join(rows)}outputs: n299\n")
    code, out = run("draw", str(spec), "--depth", "all", "-o", str(tmp_path / "long.pdf"))
    assert code == 0
    assert re.search(r"^warning: the picture is 2\d,\d{3} points high ", out.error, re.MULTILINE)
    code, out = run("draw", str(spec), "-o", str(tmp_path / "long.pdf"), "--collapse")
    assert (code, "warning" in out.error) == (0, False)


def test_a_terminal_shows_how_to_explain_the_codes(
    run, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("check", wrong)[1].error == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run("check", wrong, wrong)[1].error == "\nfor more: mimgraph explain unknown-layer\n"
    assert run("check", "--format", "json", wrong)[1].error == ""


def test_json_comes_with_warnings_on_a_terminal(
    run, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    code, out = run("check", odd, "--format", "json")
    assert (code, json.loads(out)) == (0, [])
    assert out.error.startswith("warning[unused-param]: nothing uses hiden\n")


@pytest.fixture
def odd(tmp_path: Path) -> str:
    path = tmp_path / "odd.yaml"
    path.write_text("params: {hiden: 128}\n" + WRONG.replace("Liner", "ReLU"))
    return str(path)


COLORED: list[tuple[bool, dict[str, str], bool]] = [  # on a terminal, the environment, colour
    (False, {}, False),
    (True, {}, True),
    (True, {"NO_COLOR": "1"}, False),
    (True, {"TERM": "dumb"}, False),
    (False, {"FORCE_COLOR": "1"}, True),
    (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    (True, {"NO_COLOR": ""}, True),
]


def test_color(run, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, variables, colored in COLORED:
        with monkeypatch.context() as patch:
            for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
                patch.delenv(name, raising=False)
            for name, value in variables.items():
                patch.setenv(name, value)
            for stream in (sys.stdout, sys.stderr):
                patch.setattr(stream, "isatty", lambda is_one=terminal: is_one, raising=False)
            found = ("\x1b[" in run("check", wrong)[1], "\x1b[" in run("emit", wrong)[1].error)
        assert found == (colored, colored), (terminal, variables)


def test_color_of_errors_and_of_the_last_line_is_an_option(run, wrong: str) -> None:
    error = "\x1b[1;31merror:\x1b[0m no command"
    assert run("chek", "--color", "always")[1].error.startswith(error)
    assert run("chek", "--color=never")[1].error.startswith("error: no command")
    last = "\x1b[1;31m1 error in 1 file\x1b[0m\n"
    assert run("check", SIMPLE, wrong, "--color", "always")[1].endswith(last)


def test_what_is_printed_moves_no_cursor(run) -> None:
    assert "\\x1b[2J" in run("check", "\x1b[2J.yaml")[1].error
