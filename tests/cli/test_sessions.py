"""Sessions in a terminal: the files in `sessions/` hold commands and all that they print and write.

A heading `##` begins a case in an empty folder, where `specs` is the gallery. A block of code with the name of a
file writes it; those above the first case are for all. In a block `console` each line with `$` is run, and what
follows is its output: lines of standard error begin with `2>`, and a status other than 0 comes last. `--rewrite`
writes what the commands print now: read it before you commit it.
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Printed
from tests.conftest import ROOT

FILES = sorted((Path(__file__).parent / "sessions").glob("*.md"))
BLOCK = re.compile(r"```(\w+) ?(\S*)\n(.*?)```\n", re.DOTALL)
TIME = re.compile(r"\(\d+\.\d s\)")
Run = Callable[..., tuple[int, Printed]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_commands_print_this(
    path: Path, run: Run, rewrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = path.read_text()
    shared, *cases = re.split(r"(?m)^(?=## )", text)
    found = shared
    for number, case in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "specs").symlink_to(ROOT / "specs")
        with monkeypatch.context() as patch:
            patch.chdir(folder)
            patch.setattr(sys, "path", [*sys.path])
            session = Session(run, patch)
            BLOCK.sub(session.block, shared)
            found += BLOCK.sub(session.block, case)
    if rewrite:
        path.write_text(found)
    assert found == text or rewrite


class Session:
    """Writes files and runs commands in the working directory."""

    def __init__(self, run: Run, patch: pytest.MonkeyPatch) -> None:
        self.run, self.patch = run, patch

    def block(self, match: re.Match[str]) -> str:
        """Return a block with the output of its commands as it is now; write a file."""
        kind, name, text = match.groups()
        if kind == "console":
            commands = re.findall(r"(?m)^\$ (.*)$", text)
            return "```console\n" + "".join(map(self.shown, commands)) + "```\n"
        if name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text)
            self.patch.delitem(sys.modules, Path(name).stem, raising=False)  # of another case
        return match[0]

    def shown(self, line: str) -> str:
        """Return a command with its output, after the filters behind it."""
        command, *filters = re.split(r" \| (?=head|tail|grep)", line)
        lines = [*self.lines(shlex.split(command))]
        for name, argument in map(shlex.split, filters):
            if name == "grep":
                lines = [one for one in lines if argument in one]
            else:
                lines = lines[: -int(argument)] if name == "head" else lines[int(argument) :]
        return "\n".join([f"$ {line}", *lines]) + "\n"

    def lines(self, words: list[str]) -> Iterator[str]:
        if words[0] == "cat":
            yield from Path(words[1]).read_text().splitlines()
        elif words[0] == "ls":
            names = (path.relative_to(".").as_posix() for path in Path(*words[1:]).iterdir())
            yield from sorted(name for name in names if name not in ("specs", "__pycache__"))
        elif words[0] == "cp":
            shutil.copy(*words[1:])
        else:
            yield from self.run_mimgraph(words)

    def run_mimgraph(self, words: list[str]) -> Iterator[str]:
        with self.patch.context() as patch:
            while "=" in words[0]:
                patch.setenv(*words.pop(0).split("="))
            if "<" in words:
                *words, _, name = words
                patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(name).read_bytes())))
            code, out = self.run(*words[1:])
        here = f"{Path.cwd()}/"
        for text, before in ((out, ""), (out.error, "2> ")):
            steady = TIME.sub("(0.0 s)", text.replace(here, ""))
            yield from (f"{before}{one}".rstrip() for one in steady.splitlines())
        if code:
            yield f"[exit {code}]"
