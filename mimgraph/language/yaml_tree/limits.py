"""Refuse a text that is too large, nested too deep, or has characters that YAML does not allow."""

from __future__ import annotations

import re

from mimgraph.diagnostics import Diagnostic
from mimgraph.source import SourceFile, Span

MAX_BYTES = 1 << 20
MAX_DEPTH = 64

BLANKS = " \t"  # all that may stand between tokens; to str.strip() a no-break space is blank too
BREAKS = ("\x85", "\u2028", "\u2029")  # end a line in YAML 1.1, but not in 1.2 and not in an editor
HIDDEN = ("\ufdd0", "\ufdd1", "\ufdd2")  # noncharacters that replace BREAKS while YAML is parsed
HIDE_BREAKS = str.maketrans(dict(zip(BREAKS, HIDDEN, strict=True)))
SHOW_BREAKS = str.maketrans(dict(zip(HIDDEN, BREAKS, strict=True)))
NOT_PRINTABLE = (
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdd3-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
NOT_PRINTABLE_ASCII = r"[^\t\n\r\x20-\x7e]"  # compiling the other takes milliseconds


class Unreadable(Exception):
    """Raised to stop the reading of a text; its diagnostic says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


def check_size(file: SourceFile, text: str) -> None:
    """Raise `Unreadable` if a text is too long, or was decoded from bytes that are not UTF-8."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Unreadable(_bad_character(file, text, error.start)) from error
    if size > MAX_BYTES:
        message = f"the text has {size:,} bytes, more than {MAX_BYTES:,}"
        raise Unreadable(Diagnostic("too-large", message, file.start))


def check_printable(file: SourceFile, text: str) -> None:
    """Raise `Unreadable` if a text has a character that YAML does not allow."""
    if match := re.search(NOT_PRINTABLE_ASCII if text.isascii() else NOT_PRINTABLE, text):
        raise Unreadable(_bad_character(file, text, match.start()))


def too_deep(span: Span) -> Diagnostic:
    """Return the diagnostic of a collection that is nested too deep."""
    return Diagnostic("too-large", f"nested more than {MAX_DEPTH} levels deep", span)


def _bad_character(file: SourceFile, text: str, offset: int) -> Diagnostic:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"the character U+{ord(text[offset]):04X} is not allowed"
    if "\udc80" <= text[offset] <= "\udcff":  # the decoder's mark for a byte that is not UTF-8
        message = "the text is not UTF-8"
    return Diagnostic("yaml-syntax", message, Span(file, line, column, line, column + 1))
