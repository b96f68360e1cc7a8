"""The specs that are mutated: the gallery, the example of every op, and every spec in the tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

import mimgraph as mg
from tests.conftest import ROOT, SPECS
from tests.ops.layers.test_examples import OPS, spec

TESTS = ROOT / "tests"
WITH_CASES = ("corpus", "language", "editor", "clients")  # folders of Markdown with specs
LONGEST = 2_000  # characters of a seed from the tests


@cache
def seeds() -> list[str]:
    """Return legal specs, the short ones first."""
    found = {path.read_text() for path in SPECS} | {spec(op) for op in OPS}
    found |= {text for text in _strings() if len(text) <= LONGEST and _is_legal(text)}
    return sorted(found, key=lambda text: (len(text), text))


@cache
def trees() -> list[dict[str, Any]]:
    """Return the seeds as YAML data."""
    return [yaml.safe_load(text) for text in seeds()]


def values_at(*keys: str) -> list[str]:
    """Return every text at one of these keys in a seed."""
    found = (
        inner
        for tree in trees()
        for holder, key in places(tree)
        if key in keys and isinstance(inner := holder[key], str)
    )
    return sorted(set(found))


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Return every place of a tree: its container, and the key or index there."""
    waiting = [tree]
    while waiting:
        holder = waiting.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])


def _strings() -> Iterator[str]:
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield _dedented(node.value)
    pages = [page for name in WITH_CASES for page in sorted((TESTS / name).rglob("*.md"))]
    for path in (ROOT / "README.md", *pages):
        yield from re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)


def _dedented(text: str) -> str:
    lines = text.lstrip("\n").splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "".join(f"{line[margin:]}\n" for line in lines)


def _is_legal(text: str) -> bool:
    if not re.search("^inputs:", text, re.MULTILINE):
        return False
    try:
        mg.loads(text)
    except mg.SpecError:
        return False
    return True
