"""Read the page of a code: what it means, a wrong spec, its diagnostic, and the right spec."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap

from mimgraph.diagnostics.codes import CODES, DiagnosticCode
from mimgraph.support.terminal import CYAN, Paint

PAGES = Path(__file__).parent / "pages"


def page(code: DiagnosticCode) -> str:
    """Return the page of a code, in Markdown."""
    return (PAGES / f"{code}.md").read_text(encoding="utf-8")


def listing(width: int, paint: Paint) -> str:
    """Return every code with its meaning, wrapped to a width."""
    column = max(map(len, CODES)) + 2
    rows = []
    for code, meaning in CODES.items():
        first, *others = wrap(meaning, max(width - column, 24), break_on_hyphens=False)
        rows.append(f"{paint(CYAN, code)}{' ' * (column - len(code))}{first}")
        rows += (" " * column + line for line in others)
    return "\n".join(rows)
