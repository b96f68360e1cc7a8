"""Read the page of a code, and set it for a terminal: what it means, a wrong spec, its diagnostic, and
the right spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from mimgraph.diagnostics.codes import CODES, DiagnosticCode
from mimgraph.diagnostics.render import STYLES
from mimgraph.support.terminal import BLUE, BOLD, CYAN, DIM, RED, TEAL, Paint

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


INDENT = "    "
_BLOCK = re.compile(r"```(\w+)\n(.*?)```\n?", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_YAML = re.compile(r"(?P<key>[\w.-]+)(?=:(?:\s|$))|(?P<comment>(?:^|(?<=\s))#.*)")
_FAULT = re.compile(
    r"(?P<margin>^ *(?:\d+ )?(?:\||-->|:::|=))|(?P<title>^\w+\[[\w-]+\])|(?P<mark>\^+.*)"
)


def page_text(page: str, width: int, paint: Paint) -> str:
    """Return a page, which is Markdown, as text of a width."""
    title, _, rest = page.removeprefix("# ").partition("\n")
    parts = [paint(BOLD, title)]
    text, *others = _BLOCK.split(rest)
    parts += _paragraphs(text, width, paint)
    for language, block, text in zip(others[::3], others[1::3], others[2::3], strict=True):
        color = _yaml if language == "yaml" else _fault
        parts.append(
            "\n".join(f"{INDENT}{color(line, paint)}".rstrip() for line in block.splitlines())
        )
        parts += _paragraphs(text, width, paint)
    return "\n\n".join(parts)


def _paragraphs(text: str, width: int, paint: Paint) -> Iterator[str]:
    """Yield the paragraphs of a text, wrapped; code in it is coloured where there is colour."""
    for paragraph in text.strip().split("\n\n"):
        lines = wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
        if lines:
            yield _CODE.sub(lambda code: _code(code[1], paint), "\n".join(lines))


def _code(text: str, paint: Paint) -> str:
    """Return code in a sentence, in colour or between backticks."""
    colored = paint(TEAL, text)
    return f"`{text}`" if colored == text else colored


def _yaml(line: str, paint: Paint) -> str:
    """Return a line of YAML with its keys and comments in colour."""
    return _YAML.sub(lambda m: paint(TEAL if m["key"] else DIM, m[0]), line)


def _fault(line: str, paint: Paint) -> str:
    """Return a line of a printed diagnostic in the colours of `check`."""
    styles = {"margin": BLUE, "mark": RED}
    return _FAULT.sub(
        lambda m: paint(styles.get(str(m.lastgroup)) or STYLES[m[0].partition("[")[0]], m[0]), line
    )
