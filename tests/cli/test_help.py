"""Help is as wide as the terminal, and shows every command and option; a bare `mimgraph` prints it."""

from __future__ import annotations

import re

from mimgraph.cli.help import command_help, overview_help
from mimgraph.cli.parser import COMMANDS, GROUPS, command_parser, overview
from mimgraph.support.terminal import painter

STYLE = re.compile(r"\x1b\[[\d;]*m")


def _pages(width: int, color: bool = False) -> list[str]:
    paint = painter(color)
    pages = [command_help(command_parser(name), width, paint) for name in COMMANDS]
    return [overview_help(overview(), GROUPS, width, paint), *pages]


def test_lines_fit_and_no_word_is_broken() -> None:
    for width in (60, 80, 120, 200):
        for page, wide in zip(_pages(width), _pages(1000), strict=True):
            assert max(map(len, page.splitlines())) <= width
            assert page.split() == wide.split()


def test_colour_changes_no_text() -> None:
    for page, colored in zip(_pages(80), _pages(80, color=True), strict=True):
        assert colored != page == STYLE.sub("", colored)


def test_a_command_shows_its_arguments(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("draw", "--help")
    assert code == 0 and out.startswith(
        "Draw a picture of the architecture.\n\nUsage: mimgraph draw "
    )
    for part in (
        "\nArguments:\n  SPEC ",
        "\nOptions:\n",
        "  -o, --output FILE  ",
        "      --theme light|dark  ",
        "\nFor a model in Python code:\n",
        "\nGlobal options:\n      --color auto|always|never  ",
    ):
        assert part in out


def test_help_may_stand_anywhere(run) -> None:  # type: ignore[no-untyped-def]
    for words in ("help draw", "--help draw", "draw -h", "draw --theme light --help"):
        assert run(*words.split()) == run("draw", "--help")


def test_help_without_a_command_lists_them(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("--help")
    assert (code, out.error) == (0, "")
    for title, group in GROUPS.items():
        assert f"\n\n{title}:\n" in out
        for name in group:
            assert re.search(rf"^  {name}  +\w", out, re.MULTILINE)
    assert run("help") == (0, out)


def test_a_call_without_words_is_wrong_and_prints_help(run) -> None:  # type: ignore[no-untyped-def]
    """As `ruff` and `uv` do: a script that forgets the command fails."""
    code, out = run()
    assert (code, out, out.error) == (2, "", run("--help")[1])
