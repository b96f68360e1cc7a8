"""Turn plain text into Markdown: docstrings, tables, blocks of code, and the two pictures of a theme each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from textwrap import dedent

from extension.papers import linked

OPEN = ":open:\n"
LEAST = 1.0  # pixels for a point, which is 1.33 of them: names are then 10 pixels high, shapes 8
_CODE = re.compile(r"(`[^`\n]+`|\[[^]\n]+\]\(https?://[^)\s]+\))")
# what a docstring has as text and is code: a shape, a rule of shapes, a pattern in quotes, a power
_SHAPE = (
    r"(?<!\w)\((?:[A-Z*\d][\w*']*(?: \* [\w*']+|\*\*2)*,(?: [^()]*(?:\([^()]*\)[^()]*)*)?|\*)\)"
)
_CODED = re.compile(
    rf'("[^"\n]*(?:->|[*])[^"\n]*")|((?:[nK] x )?{_SHAPE}(?:(?:, | -> |, hidden | or ){_SHAPE})*)'
)


def prose(text: str) -> str:
    """Return the paragraphs of a docstring as Markdown, with links to papers and shapes as code."""
    return "\n\n".join(_paragraph(part) for part in dedent(text).split("\n\n") if part.strip())


def _paragraph(text: str) -> str:
    lines = text.strip().splitlines()
    if any(line.startswith((" ", "- ")) for line in lines):
        return "\n".join(inline(line) for line in lines)
    return inline(" ".join(line.strip() for line in lines))


def inline(text: str) -> str:
    """Return a line as Markdown: code stays, shapes become code, other signs of Markdown are escaped."""
    spans = re.split(r"(`[^`\n]+`)", text)
    spans[::2] = [_CODED.sub(lambda found: f"`{found[0]}`", span) for span in spans[::2]]
    parts = _CODE.split(linked("".join(spans)))
    parts[::2] = map(escaped, parts[::2])
    return "".join(parts)


def escaped(text: str) -> str:
    """Return plain text as Markdown."""
    return re.sub(r"([\\*_\[\]<>|#$])", r"\\\1", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown in which a bar is no end of a cell."""
    lines = [
        head,
        ["---"] * len(head),
        *([cell.replace("|", "\\|") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text.rstrip()}\n```"


def picture(path: str, alt: str, name: str = "") -> str:
    """Return a picture in both themes, of which the page shows the one of its reader: `PATH.svg` and `PATH.dark.svg`."""
    lines = []
    for theme, ending in (("light", ".svg"), ("dark", ".dark.svg")):
        options = [f":alt: {alt}", f":class: only-{theme} {name}".rstrip()]
        lines.append("\n".join([f"```{{image}} {path}{ending}", *options, "```"]))
    return "\n\n".join(lines)


def scrolled(shown: str, title: str, width: float) -> str:
    """Return a picture that many points wide, which a narrow page scrolls in place of shrinking it too far."""
    least = f"style='--least: {LEAST * width:.0f}px'"
    begin = f"<div class='scrolled' tabindex='0' role='region' aria-label='{title}' {least}>"
    return "\n\n".join([code("{raw} html", begin), shown, code("{raw} html", "</div>")])


def tabs(*panes: tuple[str, str]) -> str:
    """Return panes behind tabs, such as the same in YAML and in Python."""
    parts = [
        f":::{{tab-item}} {title}\n:sync: {title.lower()}\n\n{text}\n:::" for title, text in panes
    ]
    return "::::{tab-set}\n:sync-group: language\n\n" + "\n\n".join(parts) + "\n::::"


def folded(title: str, text: str, open_: bool = False) -> str:
    """Return a part of a page that the reader can open and close."""
    return f":::{{dropdown}} {title}\n{OPEN if open_ else ''}\n{text}\n:::"
