"""The scripts of `mimgraph completion` complete commands, options, values and files in real shells."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mimgraph.cli.shell_completion import SCRIPTS, commands

# a line up to the cursor, and what may follow
LINES = {
    "mimgraph ": "check summary draw",
    "mimgraph dr": "draw",
    "mimgraph --color ne": "never",
    "mimgraph draw --th": "--theme",
    "mimgraph draw --theme ": "dark light",
    "mimgraph draw a.yaml --theme d": "dark",
    "mimgraph --color never draw --theme d": "dark",
    "mimgraph check --format sa": "sarif",
    "mimgraph explain cy": "cycle",
    "mimgraph layers Conv2": "Conv2d",
    "mimgraph layers carr": "carry",
    "mimgraph completion z": "zsh",
    "mimgraph gallery bert": "bert_base",
    "mimgraph new my_model --like two_tower_r": "two_tower_retrieval",
    "mimgraph check part": "parts/",
    "mimgraph draw --collapse part": "parts/",
    "mimgraph draw -o part": "parts/",
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts, and a folder that may be completed."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "parts").mkdir()
    for shell in SCRIPTS:
        (folder / f"script.{shell}").write_text(SCRIPTS[shell](commands()))
    return folder


def test_every_command_and_option_is_in_each_script(run, scripts: Path) -> None:  # type: ignore[no-untyped-def]
    for shell in SCRIPTS:
        code, out = run("completion", shell)
        assert (code, out) == (0, (scripts / f"script.{shell}").read_text())
        for command in commands():
            assert command.name in out and command.options
            for option in command.options:
                assert max(option.names, key=len).lstrip("-") in out


@pytest.mark.slow
@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_is_legal(scripts: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    command = [shell, "-n", f"script.{shell}"]
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# as bash does: it splits a line also at `=`, and takes files where a function finds nothing
BASH = """
source script.bash
while IFS= read -r line; do
    COMP_WORDS=(${line//=/ = }) COMPREPLY=()
    [[ $line == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _mimgraph
    [[ ${#COMPREPLY[@]} == 0 ]] && COMPREPLY=($(compgen -d -S / -- "${COMP_WORDS[COMP_CWORD]}"))
    echo "${COMPREPLY[*]}"
done
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(scripts: Path) -> None:
    lines = {**LINES, "mimgraph draw --theme=d": "dark", "mimgraph draw --theme=": "dark light"}
    given = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(
        ["bash", "-c", BASH], cwd=scripts, input=given, capture_output=True, text=True, check=False
    )
    found = dict(zip(lines, done.stdout.splitlines(), strict=True))
    assert done.stderr == ""
    for line, wanted in lines.items():
        assert {*wanted.split()} <= {*found[line].split()}, line
    assert [line for line in lines if len(found[line].split()) > 3] == ["mimgraph "]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes(scripts: Path) -> None:
    for line, wanted in LINES.items():
        command = ["fish", "-N", "-c", f"source script.fish; complete -C {line!r}"]
        done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, check=False)
        found = {row.partition("\t")[0] for row in done.stdout.splitlines()}
        assert done.stderr == "" and {*wanted.split()} <= found, line
