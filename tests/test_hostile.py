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


# specs that exceed a limit, such as the number of faults
TOO_LARGE = {
    "split in many",
    "a star of a star",
    "open lists",
    "open lists in words",
    "open mappings",
    "open mappings of JSON",
    "dashes",
    "dashes in lines",
    "keys in lines",
    "question marks",
    "keys of a kilobyte",
    "one line of pairs",
    "digits",
    "exponent",
    "empty values",
    "empty values far down",
    "blanks behind empty values",
    "anchors in lines",
    "merge keys",
    "tags in lines",
    "percent tags",
    "duplicate keys",
    "duplicate keys of JSON",
    "keys that are lists",
    "keys that are numbers",
    "ambiguous words",
    "a byte too many",
    "sixteen bytes too many",
    "too many items",
    "many inputs",
    "one source many times",
    "each of one",
    "with of many",
    "chunk in many",
    "unused nodes",
    "unused inputs",
    "misspelt sources",
    "misspelt sources of a kilobyte",
    "misspelt layers",
    "misspelt options",
    "options without end",
    "keys without end",
    "params in a growing chain",
    "params that grow",
    "cycles of two",
    "blocks too deep",
    "blocks far too deep",
    "repeats of repeats",
    "a long repeat of nothing",
    "long repeats of nothing",
    "too long a repeat",
    "repeats with lists",
    "distinct uses",
    "faults in distinct uses",
    "a merge that expands",
    "too large a weight",
    "large sizes",
    "sizes past 64 bits",
    "an input past 64 bits",
    "an input of many axes",
    "an input of many named axes",
    "flatten of many axes",
    "a large parameter",
    "a parameter of many axes",
    "a large buffer",
    "many large parameters",
    "a large embedding",
    "a large upsample",
    "a large pad",
    "a large kernel",
    "a long Rearrange",
    "a Rearrange of axes",
    "a Rearrange of parentheses",
    "a Rearrange of names",
    "a long formula",
    "a deep formula",
    "a formula of minuses",
    "a formula of calls",
    "a formula of powers",
    "an expression of powers",
    "an expression of large powers",
    "an expression of small powers",
    "an expression of float powers",
    "a long expression",
    "a deep expression",
    "an expression of digits",
    "a template of names",
    "dots in many sources",
    "powers of sums",
    "sums of sums",
    "many names in one size",
    "convolutions of a named size",
    "divisions of sums",
    "sizes that must agree",
    "optional inputs",
    "optional inputs in chains",
    "a large reshape",
    "shares of each",
    "shares of a long seq",
    "shares of a long block",
    "long formulas in distinct uses",
    "long patterns in distinct uses",
    "long lists in distinct uses",
    "params of distinct uses",
}

# specs that are large but legal
LEGAL = {
    "many nodes",
    "many items",
    "many Linears",
    "concat of one source",
    "pairs of many",
    "pairs of some",
    "stack of many",
    "each of many",
    "many outputs",
    "params without end",
    "params in a chain",
    "lists of params",
    "lists of expressions",
    "shares in a chain",
    "shares of one",
    "blocks in blocks",
    "repeats that fit",
    "repeats of nothing",
    "a long repeat",
    "a long shared repeat",
    "a repeat with lists",
    "many blocks",
    "large weights",
    "a large vocab",
    "an einsum of many",
    "formulas",
    "an expression of blanks",
    "convolutions of one stride",
    "constraints",
    "optional chains",
    "a long doc",
    "a long doc of quotes",
    "a doc of lines",
    "a long class name",
    "a wide Linear chain",
    "params of many blocks",
    "a constraint in distinct uses",
}

# specs that take a second or more
SLOW = {
    "a merge that expands",
    "a star of a star",
    "open lists",
    "one line of pairs",
    "one line of items",
    "pairs of JSON",
    "empty values",
    "aliases",
    "merge keys",
    "duplicate keys",
    "duplicate keys of JSON",
    "keys that are lists",
    "keys that are numbers",
    "many nodes",
    "many items",
    "too many items",
    "many Linears",
    "many inputs",
    "one source many times",
    "concat of one source",
    "pairs of many",
    "stack of many",
    "a formula of many sources",
    "each of many",
    "each of one",
    "with of many",
    "chunk in many",
    "many outputs",
    "unused nodes",
    "unused inputs",
    "misspelt sources",
    "misspelt layers",
    "misspelt options",
    "options without end",
    "keys without end",
    "params without end",
    "params in a chain",
    "params in a ring",
    "lists of params",
    "lists of expressions",
    "cycle",
    "cycles of two",
    "nodes that all feed each other",
    "shares in a chain",
    "shares of one",
    "shares in a ring",
    "blocks far too deep",
    "blocks in a ring",
    "a long repeat",
    "a long repeat of nothing",
    "long repeats of nothing",
    "a long shared repeat",
    "a repeat with lists",
    "repeats with lists",
    "many blocks",
    "distinct uses",
    "faults in distinct uses",
    "an input of many axes",
    "an input of many named axes",
    "flatten of many axes",
    "a parameter of many axes",
    "many large parameters",
    "an einsum of many",
    "formulas",
    "many names in one size",
    "convolutions of one stride",
    "constraints",
    "sizes that must agree",
    "optional inputs",
    "optional chains",
    "optional inputs in chains",
    "a large permutation",
    "a large reshape",
    "a large expand",
    "a wide Linear chain",
    "shares of each",
    "shares of a long seq",
    "shares of a long block",
    "long formulas in distinct uses",
    "long patterns in distinct uses",
    "long lists in distinct uses",
    "params of distinct uses",
    "params of many blocks",
    "a constraint in distinct uses",
    "an init of many values",
}


def cases(quick: bool) -> list[object]:
    marks = {name: [pytest.mark.slow] for name in (SLOW if quick else TEXTS)}
    return [pytest.param(name, marks=marks.get(name, []), id=name) for name in TEXTS]


@pytest.mark.parametrize("name", cases(quick=True))
def test_check_reports_whether_a_spec_is_legal(name: str) -> None:
    end = run_limited(["check", "--format", "json"], TEXTS[name])
    assert (end.code, end.error) in ((0, ""), (1, ""))
    found = json.loads(end.out)
    assert len(found) <= MAX_FAULTS + 1
    lines = TEXTS[name].decode(errors="replace").replace("\r", "\n").count("\n") + 1
    for fault in found:
        assert 1 <= fault["line"] <= fault["end_line"] <= lines
        assert len(fault["message"]) <= MAX_TEXT
    assert (name in LEGAL) == (not found)
    assert (name in TOO_LARGE) == any(fault["code"] == "too-large" for fault in found)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", cases(quick=False))
def test_every_command_ends_within_the_limits(command: str, name: str) -> None:
    end = run_limited([command], TEXTS[name])
    printed = end.out + end.error
    assert "Traceback" not in printed
    if end.code == 2:  # the picture would be unreadable
        assert command == "draw"
        assert "at most 10,000 are drawn" in printed
    else:
        assert end.code == (0 if name in LEGAL else 1)
    assert len(printed) < 20 * nasty.MEGABYTE
