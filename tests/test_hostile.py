"""Every command on a hostile file ends in a diagnostic or a result within 5 s and 1 GiB."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
import yaml

from mimgraph.diagnostics import MAX_FAULTS, MAX_TEXT
from tests.conftest import ROOT
from tests.helpers import nasty

TEXTS: dict[str, bytes] = {
    **{name: text.encode() for name, text in {**nasty.READING, **nasty.GRAPHS}.items()},
    **nasty.BYTES,
}
COMMANDS = ["check", "summary", "emit", "draw"]
OUTPUTS = {"emit": ["-o", "model.py"], "draw": ["-o", "model.svg"]}

# One process runs each command on a right and a wrong spec, which imports what they need, and then
# forks a child with limits for each file.
RUNNER = """
import contextlib, json, os, resource, sys
from mimgraph import cli
with open(os.devnull, "w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
    for words in json.loads(sys.argv[1]):
        assert cli.main(words) == (words[1] == "wrong.yaml"), words
for line in sys.stdin:
    words = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        os.dup2(os.open("err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.argv[1:] = words
        cli.run()
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class End(NamedTuple):
    """How a command ended: its exit code, negative if it was killed, and its output."""

    code: int
    out: str
    error: str


@cache
def runner() -> tuple[subprocess.Popen[str], TemporaryDirectory[str]]:
    folder = TemporaryDirectory()
    right = (ROOT / "specs" / "conformer.yaml").read_text()
    wrong = right.replace("LayerNorm", "LayerNrm") + 'extra: "${"\n'
    for name, text in (("right.yaml", right), ("wrong.yaml", wrong), ("spec.yaml", "")):
        (Path(folder.name) / name).write_text(text)
    first = [
        [command, name, *OUTPUTS.get(command, []), *more]
        for command in COMMANDS
        for name in ("right.yaml", "wrong.yaml")
        for more in ([["--format", "json"], []] if command == "check" else [[]])
    ]
    command = [sys.executable, "-c", RUNNER, json.dumps(first)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=folder.name)
    return process, folder


def run_limited(command: list[str], text: bytes) -> End:
    """Run a command on a spec."""
    process, folder = runner()
    place = Path(folder.name)
    (place / "spec.yaml").write_bytes(text)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps([*command, "spec.yaml", *OUTPUTS.get(command[0], [])]) + "\n")
    process.stdin.flush()
    code = int(process.stdout.readline())
    return End(code, (place / "out").read_text(), (place / "err").read_text())


KINDS = yaml.safe_load((Path(__file__).parent / "hostile_kinds.yaml").read_text())
QUICK = KINDS["quick, one of a kind"]  # what the default suite checks


def cases(each: int, quick: bool) -> list[object]:
    """Return every case: CI runs one in `each`, the rest is for a release."""
    return [
        pytest.param(name, id=name, marks=[pytest.mark.slow, pytest.mark.nightly][index % each > 0])
        if not (quick and name in QUICK)
        else name
        for index, name in enumerate(TEXTS)
    ]


def test_each_case_has_a_kind() -> None:
    assert {name for names in KINDS.values() for name in names} <= TEXTS.keys()


@pytest.mark.parametrize("name", cases(each=5, quick=True))
def test_check_reports_whether_a_spec_is_legal(name: str) -> None:
    end = run_limited(["check", "--format", "json"], TEXTS[name])
    assert (end.code, end.error) in ((0, ""), (1, ""))
    found = json.loads(end.out)
    assert len(found) <= MAX_FAULTS + 1
    lines = TEXTS[name].decode(errors="replace").replace("\r", "\n").count("\n") + 1
    for fault in found:
        assert 1 <= fault["line"] <= fault["end_line"] <= lines
        assert len(fault["message"]) <= MAX_TEXT
    assert (name in KINDS["legal"]) == (not found)
    assert (name in KINDS["too large"]) == any(fault["code"] == "too-large" for fault in found)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", cases(each=11, quick=False))
def test_every_command_ends_within_the_limits(command: str, name: str) -> None:
    end = run_limited([command], TEXTS[name])
    printed = end.out + end.error
    assert "Traceback" not in printed
    if end.code == 2:  # the picture would be unreadable
        assert command == "draw"
        assert "at most 10,000 are drawn" in printed
    else:
        assert end.code == (0 if name in KINDS["legal"] else 1)
    assert len(printed) < 20 * nasty.MEGABYTE
