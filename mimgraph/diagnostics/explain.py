"""Read the page of a code: what it means, a wrong spec, its diagnostic, and the right spec."""

from __future__ import annotations

from pathlib import Path

from mimgraph.diagnostics.codes import CODES, DiagnosticCode

PAGES = Path(__file__).parent / "pages"


def page(code: DiagnosticCode) -> str:
    """Return the page of a code, in Markdown."""
    return (PAGES / f"{code}.md").read_text(encoding="utf-8")


def listing() -> str:
    """Return every code with its meaning, one a line."""
    width = max(map(len, CODES))
    return "\n".join(f"{code:<{width}}  {meaning}" for code, meaning in CODES.items())
