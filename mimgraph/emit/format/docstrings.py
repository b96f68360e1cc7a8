"""Write free text as docstrings: wrapped, and escaped so that no text can end them."""

from __future__ import annotations

import inspect
import re
import textwrap

from mimgraph.emit.format.line_breaking import WIDTH

GLUE = "\ue000"  # stands for a space at which no line may break; private use in Unicode
_SHAPE = re.compile(r"(?:\w+ )?\([^()]{1,40}\)")


def docstring(doc: str, indent: int) -> list[str]:
    """Return the lines of a docstring, wrapped and escaped; none if there is no text."""
    text = inspect.cleandoc("\n".join(map(str.rstrip, doc.split("\n"))).strip())
    if not text:
        return []
    text = re.sub(r'^"|"(?="|\Z)', r'\\"', "".join(map(escaped, text)))
    margin = " " * indent
    closing = '"""'
    width = WIDTH - indent - (0 if "\n" in text else len(closing))
    lines = [piece for line in f'"""{text}'.split("\n") for piece in wrapped(line, width)]
    if len(lines) == 1:  # ruff would join the closing quotes to a single line
        return [f"{margin}{lines[0]}{closing}"]
    return [margin + line if line else "" for line in (*lines, closing)]


def escaped(character: str) -> str:
    """Return a character as it is if it prints as itself or ends a line, else its escape."""
    if character == "\n" or (character.isprintable() and character != "\\"):
        return character
    return character.encode("unicode_escape").decode("ascii")


def wrapped(line: str, width: int) -> list[str]:
    """Return a line in pieces, each indented like it, broken at no word or shape."""
    hang = line[: len(line) - len(line.lstrip())]
    whole = _SHAPE.sub(lambda match: match[0].replace(" ", GLUE), line)
    pieces = textwrap.wrap(
        whole, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False
    )
    return [piece.replace(GLUE, " ") for piece in pieces] or [""]
