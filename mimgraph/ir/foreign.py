"""Explain notation of other languages in expressions, with the help: `x ^ 2`, `1_000`, `2x`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from mimgraph.ir.expression import ExpressionError

NEAR = 200  # characters before a fault that are examined


class Place(NamedTuple):
    """The place of a fault in an expression: the text at the fault, and the text before it."""

    text: str
    at: re.Match[str]
    before: re.Match[str]
    names: Collection[str]  # of the sources, in a formula

    @property
    def start(self) -> int:
        return self.at.start()


class Foreign(NamedTuple):
    """Describes notation of other languages by a pattern for the text at the fault and one for the
    text before it, with the message and help, in which `{at}` and `{before}` are these texts.

    With an empty pattern `at`, the fault is the text before.
    """

    at: str
    message: str
    help: str | Callable[[Place], str] = ""
    before: str = ""


def explained(
    error: ExpressionError, text: str, table: Iterable[Foreign], names: Collection[str] = ()
) -> ExpressionError:
    """Return the error with the message and help of the first entry that fits, at the same
    characters."""
    if error.end < error.start or error.code != "bad-expression" or error.help:
        return error
    first = max(0, error.start - NEAR)
    front = text[first : error.start].rstrip()
    for foreign in table:
        at = re.compile(foreign.at, re.ASCII).match(text, error.start)
        before = re.search(f"(?:{foreign.before})$", front, re.ASCII)
        if at is not None and before is not None:
            place = Place(text, at, before, names)
            help = foreign.help if isinstance(foreign.help, str) else foreign.help(place)
            words = {"at": at[0], "before": before[0]}
            message, help = (_filled(part, words) for part in (foreign.message, help))
            start, end = error.start, max(error.end, at.end())
            if not foreign.at:
                start, end = first + before.start(), first + before.end()
            return ExpressionError(message, start, end, help=help)
    return error


def _filled(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def _decimal(place: Place) -> str:
    try:
        return f"write {int('0' + place.at[0].replace('_', ''), 0)}"
    except ValueError:
        return ""


def _joined(place: Place) -> str:
    return f"write {place.before[0]}{place.at[0].replace('_', '')}"


def _product(place: Place) -> str:
    one, other = place.before[0], place.at[0]
    if ")" in one or "(" in other:
        return "write * between them, if they are multiplied"
    return f"write {one} * {other}, if they are multiplied"


NUMBER = r"\d+(?:\.\d*)?|\.\d+"
NAME = r"\$?[A-Za-z_]\w*"
ENDED = rf"{NUMBER}|{NAME}|\)"

# notation that neither formulas nor the expressions of options have; numbers first
NUMBERS = (
    Foreign(r"_[\d_]+", "a number has no _", _joined, before=r"\b\d+"),
    Foreign(r"[xXoObB][0-9a-fA-F_]+", "numbers are decimal", _decimal, before=r"\b0"),
    Foreign(r"\.\d+", "a number has one point", before=NUMBER),
    Foreign(r"[jJ]\b", "there are no complex numbers", before=NUMBER),
)

SYMBOLS = (
    Foreign(r"\^", "there is no '^'", "a power is **"),
    Foreign(r"√", "there is no '√'", "a root is x ** 0.5"),
    Foreign(r"[×·∗⋅]", "'{at}' is not an operator", "write *"),
    Foreign(r"÷", "'{at}' is not an operator", "write /"),
    Foreign(r"[−–—]", "'{at}' is no minus", "write -"),
    Foreign(r"[²³]", "'{at}' is not an operator", lambda p: f"write ** {'²³'.index(p.at[0]) + 2}"),
    Foreign(r"[\u00a0\u2000-\u200b\u202f\u3000\ufeff]", "a blank of another kind", "write a space"),
    Foreign(r"\*\*|//|[-+*/%]", "a number or name is missing before '{at}'"),
    Foreign(r"\)", "a number or name is missing before ')'", before=r"[-+*/%<>=(,]"),
    Foreign(r"\)", "this ')' closes nothing"),
    Foreign(r";", "there is no ';'", "write one expression"),
    Foreign(r"#", "there are no comments in it", "write the comment behind the value"),
    Foreign(r"is\b", "there is no '{at}' in an expression", "write =="),
    Foreign(r"(?:in|lambda|for|while|as)\b", "there is no '{at}' in an expression"),
    Foreign(rf"{NUMBER}|{NAME}|\(", "an operator is missing before '{at}'", _product, before=ENDED),
)

_ARITHMETIC = "an expression has only numbers, names and + - * / // % **"

# notation that the expressions of options do not have
PLAIN = (
    *NUMBERS,
    Foreign(
        r"[<>!=]=?|and\b|or\b|&+|\|+|if\b|else\b|\?|~",
        "there is no '{at}' in an expression",
        _ARITHMETIC,
    ),
    Foreign(r"", "there is no 'not' in an expression", _ARITHMETIC, before=r"\bnot"),
    Foreign(r"\.", "there is no '.' in an expression", _ARITHMETIC),
    Foreign(r"\[", "there is no '[' in an expression", _ARITHMETIC),
    Foreign(r"['\"]", "text has no place in an expression", "write names and numbers as they are"),
    Foreign(r"\$", "there is no '$' within $(...)", "write the name alone"),
    Foreign(r"\{", "there is no '{' in an expression", "write the name alone"),
    Foreign(r",", "there is no ',' in an expression", _ARITHMETIC),
    Foreign(r"@", "there is no '@' in an expression", _ARITHMETIC),
    *SYMBOLS,
)
