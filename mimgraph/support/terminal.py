"""Text for an output that may not be UTF-8, as a terminal of Windows or a pipe is."""

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
        "↔": "<->",
        "−": "-",
        "\N{NO-BREAK SPACE}": "&nbsp;",  # which only Markdown has
    }
)


def printable(text: str) -> str:
    """The text as standard output can show it."""
    return encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8")


def encodable(text: str, encoding: str) -> str:
    """The text, with ASCII in place of signs that the encoding lacks, and other letters by number."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
