"""Text for an output that may not be UTF-8, such as a pipe or a terminal on Windows."""

from __future__ import annotations

import sys

_ASCII = str.maketrans(
    {
        "│": "|",
        "├": "|",
        "└": "`",
        "─": "-",
        "×": "x",
        "…": "...",
        "→": "->",
        "·": "*",
        "↔": "<->",
        "−": "-",
        "\N{NO-BREAK SPACE}": "&nbsp;",  # only Markdown has it
    }
)


def printable(text: str) -> str:
    """Return the text as standard output can encode it."""
    return encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8")


def encodable(text: str, encoding: str) -> str:
    """Return the text in characters of the encoding: signs in ASCII, other characters as escapes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
