"""Lines of text in the fonts that pictures bring along: their widths, and where they break.

The fonts are as wide as Helvetica and Courier, so a viewer's own do not leave the boxes, and a
picture has the same size on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

Face: TypeAlias = Literal["sans", "bold", "mono"]
Tone: TypeAlias = Literal["text", "faint"]

FONTS = Path(__file__).with_name("fonts")
FILES: dict[Face, Path] = {
    "sans": FONTS / "Sans.ttf",
    "bold": FONTS / "SansBold.ttf",
    "mono": FONTS / "Mono.ttf",
}
WIDTHS = FONTS / "widths.json"  # of each face, the letters of each width
EM = 2048  # units of those widths in the size of the letters
LEADING = 1.25  # of a line, by the size of its letters
_NO_CHARACTER = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_WORDS = re.compile(r"(?:[\[({][^\])}]*[\])}]|[^ ])+")


class Run(NamedTuple):
    """Letters of one face."""

    text: str
    face: Face = "sans"
    tone: Tone = "text"


class Line(NamedTuple):
    """Runs in a row, of one size in points."""

    runs: tuple[Run, ...]
    size: float

    @property
    def width(self) -> float:
        """From the first letter to the last, in points."""
        return sum(_width(run.text, run.face, self.size) for run in self.runs)

    @property
    def height(self) -> float:
        """With the space to the next line."""
        return self.size * LEADING

    @property
    def text(self) -> str:
        """What is written."""
        return "".join(run.text for run in self.runs)


def plain(text: str) -> str:
    """Free text as it can be written: what is no character of XML's is told as one that is missing."""
    return _NO_CHARACTER.sub("\ufffd", re.sub(r"[\t\n\r]", " ", text))


def line(size: float, *runs: Run) -> Line:
    """A line of free text; runs without any are left out."""
    return Line(tuple(run._replace(text=plain(run.text)) for run in runs if run.text), size)


def broken(text: str, widest: float, size: float) -> Iterator[str]:
    """The text in as few lines as are narrower than that, all about as long; no word is broken, and
    nothing in brackets."""
    words = _WORDS.findall(plain(text))
    few = list(_filled(words, widest, size))
    if len(few) < 2:
        return iter(few)
    narrow = max(_width(text, "sans", size) / len(few), *(_width(w, "sans", size) for w in words))
    while len(even := list(_filled(words, narrow, size))) > len(few):
        narrow += size
    return iter(even)


def _filled(words: Iterable[str], widest: float, size: float) -> Iterator[str]:
    """Lines that each take as many words as fit."""
    row = ""
    for word in words:
        longer = f"{row} {word}" if row else word
        if row and _width(longer, "sans", size) > widest:
            yield row
            longer = word
        row = longer
    if row:
        yield row


def missing(text: str, face: Face) -> set[str]:
    """The letters that the font of a face has not."""
    return set(text).difference(_widths()[face])


def _width(text: str, face: Face, size: float) -> float:
    """In points; letters that are not in the font are taken for square ones."""
    widths = _widths()[face]
    return sum(widths.get(letter, EM) for letter in text) * size / EM


@cache
def _widths() -> Mapping[Face, Mapping[str, int]]:
    """Of each letter of each face; from a table, since what reads fonts takes long to import."""
    table = json.loads(WIDTHS.read_text())
    return {
        face: {letter: int(width) for width, letters in by_width.items() for letter in letters}
        for face, by_width in table.items()
    }
