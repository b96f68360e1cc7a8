"""Cases in Markdown: a heading, one or more specs, and below them the texts that they give."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_CASE = re.compile(
    r"(?P<head>^## (?P<title>[^\n]*)\n\n(?P<specs>(?:```yaml\n.*?^```\n\n)+))"
    r"(?P<shown>````.*?^````\n(?:\n````.*?^````\n)*)",
    re.MULTILINE | re.DOTALL,
)
_SPEC = re.compile(r"```yaml\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^````(\w+)\n.*?^````\n", re.MULTILINE | re.DOTALL)


def cases(path: Path) -> dict[str, list[str]]:
    """Return the specs of each case, by its heading."""
    return {
        match["title"]: _SPEC.findall(match["specs"]) for match in _CASE.finditer(path.read_text())
    }


def check(path: Path, rewrite: bool, **show: Callable[..., str]) -> None:
    """Compare the texts of all cases with what functions of their specs return now, or rewrite them.

    Each text is in a block of four backticks; its language is the name of a function.
    """
    text = path.read_text()
    assert text.count("\n## ") == len(cases(path)), "a case lacks a spec or a block for its text"

    def with_texts(match: re.Match[str]) -> str:
        specs = _SPEC.findall(match["specs"])

        def now(block: re.Match[str]) -> str:
            return f"````{block[1]}\n{show[block[1]](*specs)}\n````\n"

        return match["head"] + _SHOWN.sub(now, match["shown"])

    expected = _CASE.sub(with_texts, text)
    if rewrite:
        path.write_text(expected)
    assert text == expected or rewrite
