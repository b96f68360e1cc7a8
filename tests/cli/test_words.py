"""Misspelt commands, options and choices get a suggestion; a wrong call exits with 2 and prints nothing else."""

from __future__ import annotations

import pytest

from tests.cli.conftest import SIMPLE

WRONG = {
    "chek": "no command is called 'chek'\n  help: did you mean check?",
    "drow --derection": "no command is called 'drow'\n  help: did you mean draw?",
    "frobnicate": "no command is called 'frobnicate'\n  help: mimgraph --help lists the commands",
    "SPEC": "name a command before the file\n  help: mimgraph check SPEC",
    "--frmat json check": "no option is called '--frmat'\n  help: mimgraph COMMAND [OPTIONS]",
    "draw SPEC --derection LR": "no option is called '--derection'\n  help: did you mean --direction?",
    "draw SPEC --derection=LR": "no option is called '--derection'\n  help: did you mean --direction?",
    "draw --them dark": "SPEC is missing\n  help: mimgraph draw [OPTIONS] SPEC",
    "draw -z": "no option is called '-z'\n  help: mimgraph draw [OPTIONS] SPEC",
    "draw SPEC -o a.svg --theme drak": "--theme: expected light or dark, not 'drak'\n  help: did you mean dark?",
    "check SPEC --format yml": "--format: expected text, json, sarif or github, not 'yml'",
    "check": "SPEC is missing\n  help: mimgraph check [OPTIONS] SPEC...",
    "diff": "OLD and NEW are missing\n  help: mimgraph diff [OPTIONS] OLD NEW",
    "summary SPEC other.yaml": (
        "there are more arguments than expected: other.yaml\n  help: mimgraph summary [OPTIONS] SPEC"
    ),
    "run SPEC --batch": "--batch: a value is missing",
    "run SPEC --batch 0": "--batch: expected an integer of at least 1, not '0'",
    "run SPEC --seed x": "--seed: expected an integer, not 'x'",
    "--color neve check SPEC": "--color: expected auto, always or never, not 'neve'\n  help: did you mean never?",
    "check SPEC --colour never": "no option is called '--colour'\n  help: did you mean --color?",
    "explain shape-missmatch": "no code is called 'shape-missmatch'\n  help: did you mean shape-mismatch?",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_call_is_reported(run, words: str) -> None:  # type: ignore[no-untyped-def]
    code, out = run(*(SIMPLE if word == "SPEC" else word for word in words.split()))
    wanted = (
        WRONG[words].replace("check SPEC", f"check {SIMPLE}") if words == "SPEC" else WRONG[words]
    )
    assert (code, out, out.error) == (2, "", f"error: {wanted}\n")


@pytest.mark.parametrize(
    "words",
    [
        f"check {SIMPLE}",
        f"--color never check {SIMPLE}",
        f"--color=never check {SIMPLE}",
        f"check --color auto {SIMPLE}",
        f"check --form text -- {SIMPLE}",  # argparse completes an option that is cut short
    ],
)
def test_options_of_all_commands_stand_anywhere(run, words: str) -> None:  # type: ignore[no-untyped-def]
    assert run(*words.split()) == (0, f"{SIMPLE}: ok, 4 nodes\n")


def test_a_word_is_no_option_behind_two_dashes(run) -> None:  # type: ignore[no-untyped-def]
    code, out = run("check", "--", "--colr")
    assert (code, out.error.startswith("error: cannot read --colr: ")) == (2, True)


def test_colour_of_errors_is_an_option(run) -> None:  # type: ignore[no-untyped-def]
    assert run("chek", "--color", "always")[1].error.startswith(
        "\x1b[1;31merror:\x1b[0m no command"
    )
    assert run("chek", "--color=never")[1].error.startswith("error: no command")


def test_what_is_printed_moves_no_cursor(run) -> None:  # type: ignore[no-untyped-def]
    assert "\\x1b[2J" in run("check", "\x1b[2J.yaml")[1].error
