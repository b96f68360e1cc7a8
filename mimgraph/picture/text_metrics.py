"""Lines of text measured and broken in mimgraph's own fonts.

The fonts are as wide as Helvetica and Courier, so text fits its box in a viewer's fonts too, and a
picture has the same size on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
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
WIDTHS = FONTS / "widths.json"  # for each face and each width, the letters that have it
EM = 2048  # units of these widths in one em
LONGEST = 160  # letters of a text; the tooltip of a box has all of its name
LEADING = 1.25  # height of a line over the size of its letters
_NO_CHARACTER = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# lists in brackets, widths such as `3 to 16` and repeats such as `× 3` stay on one line
_WORDS = re.compile(r"(?:[\[({][^\])}]*[\])}]|(?<=\d) to (?=\d)|× |[^ ])+")

_PARTS = re.compile(r" (?=\+ )")  # of a chain, `Conv2d 64 3×3 + ReLU`


class Run(NamedTuple):
    """Text in one face and tone."""

    text: str
    face: Face = "sans"
    tone: Tone = "text"


class Line(NamedTuple):
    """Runs on one line, of one size in points."""

    runs: tuple[Run, ...]
    size: float

    @property
    def width(self) -> float:
        """The width in points."""
        return sum(_width(run.text, run.face, self.size) for run in self.runs)

    @property
    def height(self) -> float:
        """The height in points, with the space to the next line."""
        return self.size * LEADING


def plain(text: str) -> str:
    """Return any text with line breaks as spaces, and with U+FFFD for characters that XML forbids."""
    if text.isascii() and text.isprintable():  # as most text is
        return text
    return _NO_CHARACTER.sub("\ufffd", re.sub(r"[\t\n\r]", " ", text))


def line(size: float, *runs: Run) -> Line:
    """Return a line of any text; empty runs are left out, and the end of a very long one."""
    shown = [Run(_cut(plain(text)), face, tone) for text, face, tone in runs if text]
    return Line(tuple(shown), size)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def broken(text: str, widest: float, size: float) -> Iterator[str]:
    """Yield the text in as few lines as fit into `widest`, all about as long; the parts of a chain stay
    whole if each fits, else words and text in brackets."""
    words = _PARTS.split(plain(text))
    if any(_width(part, "sans", size) > widest for part in words):
        words = _WORDS.findall(plain(text))
    few = list(_filled(words, widest, size))
    if len(few) < 2:
        return iter(few)
    narrow = max(_width(text, "sans", size) / len(few), *(_width(w, "sans", size) for w in words))
    while len(even := list(_filled(words, narrow, size))) > len(few):
        narrow += size
    return iter(even)


def _filled(words: Iterable[str], widest: float, size: float) -> Iterator[str]:
    """Yield lines that each take as many words as fit."""
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
    """Return the characters that the font of a face lacks."""
    return set(text).difference(_widths()[face])


def _width(text: str, face: Face, size: float) -> float:
    """Return the width of text in points."""
    return units(text, face) * size / EM


@lru_cache(maxsize=10_000)  # the names of layers and shapes recur
def units(text: str, face: Face) -> int:
    """Return the width of text in units; a letter missing from the font counts as one em."""
    widths = _widths()[face]
    return sum([widths.get(letter, EM) for letter in text])


@cache
def _widths() -> Mapping[Face, Mapping[str, int]]:
    """Return the width of each letter of each face, from a table: font libraries import slowly."""
    table = json.loads(WIDTHS.read_text())
    return {
        face: {letter: int(width) for width, letters in by_width.items() for letter in letters}
        for face, by_width in table.items()
    }
