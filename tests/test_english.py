"""Docstrings of mimgraph begin with a verb and use no phrase that docs/contributing.md rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

RIDDLES = re.compile(
    r"\b(told of|is told|are told|tells? of|those of|what is|what of|of what)\b", re.IGNORECASE
)
# a sentence that begins with one of these, or with code, has no verb, or not first
NO_VERB = re.compile(
    r"`|(All?|An|And|As|At|Both|By|Each|Every|For|From|How|If|In|Is|Its?|No|None|Of|On|One|Or|Same"
    r"|Some|That|The|Their|These|They|This|Those|To|What|When|Where|Whether|Which|With)\b"
)


class Docstring(NamedTuple):
    place: str
    text: str
    begins_with_verb: bool  # or should: a class, a module, a property and a rule may be a noun

    @property
    def first(self) -> str:
        return self.text.split("\n\n")[0]


def _docstrings(path: Path) -> Iterator[Docstring]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            continue
        text = ast.get_docstring(node)
        if text:
            line = getattr(node, "lineno", 1)
            place = f"{path.relative_to(ROOT)}:{line}"
            yield Docstring(place, text, isinstance(node, ast.FunctionDef) and not _is_noun(node))


def _is_noun(node: ast.FunctionDef) -> bool:
    """Return whether a function is read as a value or is a rule, whose docstring is a reference."""
    decorators = [ast.unparse(one).partition("(")[0] for one in node.decorator_list]
    nouns = {"property", "cached_property", "layer", "over_axes", "merge", "tensor", "part"}
    return bool(nouns & {*decorators})


@cache
def _docstrings_of_mimgraph() -> list[Docstring]:
    return [one for path in sorted((ROOT / "mimgraph").rglob("*.py")) for one in _docstrings(path)]


def test_functions_say_what_they_do() -> None:
    found = [
        one for one in _docstrings_of_mimgraph() if one.begins_with_verb and NO_VERB.match(one.text)
    ]
    assert not found, "\n".join(f"{one.place}: {one.first}" for one in found)


@pytest.mark.parametrize("tests", [False, True])
def test_no_riddles(tests: bool) -> None:
    paths = sorted(path for path in (ROOT / "tests").rglob("*.py") if "golden" not in path.parts)
    of_tests = (one for path in paths for one in _docstrings(path))
    docstrings = of_tests if tests else _docstrings_of_mimgraph()
    found = [one for one in docstrings if RIDDLES.search(one.first)]
    assert not found, "\n".join(f"{one.place}: {one.first}" for one in found)
