"""A closed pipe, a full disk, a closed output, a narrow encoding and Ctrl-C end a command without a traceback."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mimgraph.cli import run_command
from tests.cli.conftest import SIMPLE

COMMANDS = (
    "layers --format json",
    "layers",  # less than a buffer, so written when the command has ended
    "check --help",
    f"check {SIMPLE} --format sarif",
    f"emit {SIMPLE} -o /dev/stdout",
)


def _run(words: str, **streams: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mimgraph", *words.split()]
    return subprocess.run(command, text=True, check=False, **streams)  # type: ignore[call-overload]


@pytest.fixture
def closed() -> object:
    """A pipe whose reader has ended, as `head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.slow
@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_has_ended_is_no_error(words: str, closed: int) -> None:
    done = _run(words, stdout=closed, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_reader_of_errors_that_has_ended_is_no_error(closed: int) -> None:
    done = _run("chek", stdout=subprocess.PIPE, stderr=closed)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
def test_a_full_disk_is_reported() -> None:
    with open("/dev/full", "w") as full:
        done = _run("layers", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the output: No space left on device\n"


@pytest.mark.slow
def test_a_closed_output_is_no_error() -> None:
    line = f"{sys.executable} -m mimgraph emit {SIMPLE} >&-"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_command(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def interrupt(words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_command, "_run", interrupt)
    assert run("check", SIMPLE) == (130, "")


WRONG = "inputs: {x: [4]}\nnodes: {你好: {layer: ReLU, from: x}}\noutputs: y\n"
RIGHT = (
    'doc: "größer \\\\ 你好"\ninputs: {x: [4]}\nnodes: {y: {layer: ReLU, from: x}}\noutputs: y\n'
)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_an_output_that_encodes_less_gets_escapes(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, "utf-8")
    (tmp_path / "你.yaml").write_text(RIGHT, "utf-8")

    def out(words: str, code: int = 0) -> str:
        env = {**os.environ, "PYTHONIOENCODING": encoding}
        done = _run(words, cwd=tmp_path, env=env, capture_output=True, encoding=encoding)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return f"{done.stdout}{done.stderr}"

    for words in ("check wrong.yaml", "check wrong.yaml --format github", "summary wrong.yaml"):
        assert r"\u4f60\u597d" in out(words, 1), words
    assert r"\u4f60.yaml: ok" in out("check 你.yaml")
    assert r"no command is called '\u4f60'" in out("你", 2)
    assert r"\u4f60\u597d" in out("fmt 你.yaml --diff")
    assert "你好" in json.loads(out("check wrong.yaml --format json", 1))[0]["message"]
    (model,) = (n for n in ast.parse(out("emit 你.yaml")).body if isinstance(n, ast.ClassDef))
    assert (ast.get_docstring(model) or "").startswith("größer \\ 你好\n")


INTERRUPTED_IMPORT = """
import signal, sys

class Finder:
    def find_spec(name, *rest):
        if name == module:
            signal.raise_signal(signal.SIGINT)

module = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Finder)
from mimgraph.cli import run
run()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("mimgraph.cli.run_command", f"check {SIMPLE}"),
        ("mimgraph.cli.parser", "--help"),
        ("mimgraph.graph", f"check {SIMPLE}"),
        ("torch", f"run {SIMPLE}"),
    ],
)
def test_ctrl_c_ends_a_command_that_starts(module: str, words: str) -> None:
    command = [
        sys.executable,
        "-S",
        "-c",
        f"import sys; sys.path = {sys.path}\n{INTERRUPTED_IMPORT}",
    ]
    done = subprocess.run(
        [*command, module, *words.split()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
