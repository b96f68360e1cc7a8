"""The page of a code: what it means, a wrong spec, what is told of it, and the right one."""

from __future__ import annotations

from pathlib import Path

from mimgraph.diagnostics.codes import CODES

PAGES = Path(__file__).parent / "pages"


def page(code: str) -> str:
    """The page of one of `CODES`, in Markdown."""
    return (PAGES / f"{code}.md").read_text(encoding="utf-8")


def listing() -> str:
    """Every code, with what it means."""
    width = max(map(len, CODES))
    return "\n".join(f"{code:<{width}}  {meaning}" for code, meaning in CODES.items())
