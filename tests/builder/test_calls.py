"""Calls in Python and the errors that they raise, as a user sees them: the files in `calls/`.

A block of code is run for all cases of a file. In a block `pycon` each line with `>>>` is a call, which goes on in
lines with `...`; what follows is the text of its error, which names the call as `call.py`, or the repr of its result.
`--rewrite` writes what the calls answer now: read it before you commit it.
"""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from pathlib import Path
from typing import Any

import pytest

import mimgraph as mg
from tests.conftest import ROOT

FILES = sorted((Path(__file__).parent / "calls").glob("*.md"))
BLOCK = re.compile(r"```(python|pycon)\n(.*?)```\n", re.DOTALL)
OURS = str(Path(mg.__file__).parent)
CALL = re.compile(r"^>>> (.*\n(?:\.\.\. ?.*\n)*)", re.MULTILINE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_calls_raise_these_errors(path: Path, rewrite: bool) -> None:
    text, names = path.read_text(), dict[str, Any]()

    def answered(match: re.Match[str]) -> str:
        kind, code = match.groups()
        if kind == "python":
            exec(shown_as("setup.py", code), names)  # noqa: S102 - our own text
            return match[0]
        calls = (f">>> {call}{answer(call, names)}\n" for call in CALL.findall(code))
        return f"```pycon\n{''.join(calls)}```\n"

    found = BLOCK.sub(answered, text)
    if rewrite:
        path.write_text(found)
    assert found == text or rewrite


def answer(call: str, names: dict[str, Any]) -> str:
    """Return the text of the error that a call raises, or else the repr of its result."""
    code = call.replace("\n... ", "\n").replace("\n...", "\n")
    try:
        return repr(eval(shown_as("call.py", code, "eval"), {**names}))
    except mg.SpecError as error:
        assert_ends_in_the_call(error)
        return re.sub(r" +$", "", str(error), flags=re.MULTILINE).replace(f"{ROOT}/", "")
    except (AttributeError, TypeError, ValueError) as error:
        assert_ends_in_the_call(error)
        return f"{type(error).__name__}: {error}"


def shown_as(file: str, code: str, mode: str = "exec") -> Any:
    """Return the compiled code of a file, whose lines can be shown in an error."""
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    tree = ast.parse(code.strip() if mode == "eval" else code, file, mode)
    return compile(tree, file, mode)


def assert_ends_in_the_call(error: Exception) -> None:
    """Check that no frame of mimgraph is in the traceback."""
    frames = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    assert not [file for file in frames if file.startswith(OURS)], frames
