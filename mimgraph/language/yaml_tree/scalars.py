"""Resolve plain scalars by YAML 1.2's core schema, refusing those that YAML 1.1 reads differently."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from mimgraph.diagnostics import Diagnostic
from mimgraph.ir.declared_values import FAULTY
from mimgraph.language.yaml_tree.tree import Value, brief
from mimgraph.source import Span

MIN_INT, MAX_INT = -(1 << 63), (1 << 63) - 1

WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
YES_OR_NO = {
    spelling: meaning
    for word, meaning in (("yes", "true"), ("no", "false"), ("on", "true"), ("off", "false"))
    for spelling in (word, word.capitalize(), word.upper())
}
NUMBER = re.compile(
    r"""
    (?P<int> [-+]? (?: 0 | [1-9][0-9]* ) )
  | (?P<hex> 0x [0-9a-fA-F]+ )
  | (?P<float> [-+]? (?: \.[0-9]+ | [0-9]+\.[0-9]* | [0-9]+(?=[eE]) ) (?: [eE][-+]?[0-9]+ )? )
  | (?P<ambiguous>
        [-+]? 0[0-9_]+ | 0o[0-7]+                            # octal in one of the two versions
      | [-+]? 0b[01_]+ | [-+]? 0x[0-9a-fA-F_]+
      | [-+]? [1-9][0-9_]*
      | [-+]? (?: [0-9][0-9_]*\. | \.[0-9] ) [0-9_]* (?: [eE][-+][0-9]+ )?
      | [-+]? [1-9][0-9_]* (?: :[0-5]?[0-9] )+               # to the base 60
      | [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )+ \.[0-9_]*
      | [0-9]{4}-[0-9]{2}-[0-9]{2}                           # a date, perhaps with a time
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [Tt] | [ \t]+ ) [0-9]{1,2}:[0-9]{2}:[0-9]{2}
        (?: \.[0-9]* )? (?: [ \t]* (?: Z | [-+][0-9]{1,2} (?: :[0-9]{2} )? ) )?
    )""",
    re.VERBOSE,
)

SOURCES = frozenset(("from", "each", "outputs"))  # keys whose values, also in a list, are names
TEXTS = SOURCES | {"name", "doc", "layer", "merge", "block", "share", "take", "dtype", "only"}


def resolve(text: str) -> Value:
    """Return the value of a plain scalar, or FAULTY if it is ambiguous or too large."""
    if text in WORDS:
        return WORDS[text]
    if text[0] not in "0123456789+-.":
        return FAULTY if text in YES_OR_NO or text == "=" else text
    match = NUMBER.fullmatch(text)
    kind = match.lastgroup if match else "text"
    if kind == "text":
        return text
    if kind == "float":
        value = float(text)
        return value if math.isfinite(value) else FAULTY
    if kind == "ambiguous" or len(text) > 32:  # Python refuses to convert very long ones
        return FAULTY
    number = int(text, 16 if kind == "hex" else 10)
    return number if MIN_INT <= number <= MAX_INT else FAULTY


def why_faulty(text: str, span: Span, keys: Sequence[str]) -> Diagnostic:
    """Return the diagnostic of a plain scalar that `resolve` finds faulty; `keys` are the keys
    around it, the nearest first, none for a key."""
    match = NUMBER.fullmatch(text)
    if match and match.lastgroup != "ambiguous":
        kind = "a float" if match.lastgroup == "float" else "an integer"
        return Diagnostic("too-large", f"{kind} must fit in 64 bits", span)
    message = f"YAML 1.1 and 1.2 read '{brief(text)}' differently"
    help = f'quote it: "{brief(text)}"'
    meant = YES_OR_NO.get(text) or _unambiguous_number(text)
    if meant and keys and not takes_text(keys):
        help = f"write {meant}, or, if it is a string, {help}"
    elif not keys:
        help = key_help(text)
    return Diagnostic("ambiguous-scalar", message, span, help=help)


def _unambiguous_number(text: str) -> str:
    """Return the number that was probably meant, as both versions of YAML read it: 64 for `064`.

    Return "" where no number was meant, as in a time.
    """
    digits = text.replace("_", "").lstrip("+")
    for number in (int, partial(int, base=0), float):
        with suppress(ValueError):
            plain = str(number(digits))
            return "" if resolve(plain) is FAULTY else plain
    return ""


def takes_text(keys: Sequence[str]) -> bool:
    """Return whether the value behind these keys, the nearest first, is a name or another text."""
    return keys[0] in TEXTS or not SOURCES.isdisjoint(keys[:2])


def key_help(text: str) -> str:
    """Return how to write a key that YAML reads as a number or another value."""
    if text.isidentifier():
        return f'quote it: "{brief(text)}"'
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return f"begin it with a letter: n{brief(name)}" if name else "give it a name"
