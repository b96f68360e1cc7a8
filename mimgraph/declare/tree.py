"""The tree of a spec: mappings, sequences and scalars with spans; the values of scalars, and limits."""

from __future__ import annotations

import math
import re
from collections import abc
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.text import MAPPING, code, put
from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_values import FAULTY, Faulty
from mimgraph.source import SourceFile, Span

Value = str | int | float | bool | None | Faulty


class Scalar(NamedTuple):
    """A value, the text it was read from, and whether the text stands without quotes (`plain`).

    `tagged` is true if the value is faulty because of the tag before it, which is reported.
    """

    value: Value
    span: Span
    text: str
    plain: bool
    tagged: bool = False

    @property
    def name(self) -> str | None:
        """The value if it is a text, or would be one without its tag; else None."""
        if self.tagged:
            return self.text
        return self.value if isinstance(self.value, str) else None

    def part(self, start: int, end: int) -> Span:
        """Return the span of the characters `start` to `end` of the text, or the whole span where
        escapes or several lines keep them from being counted."""
        quote = 0 if self.plain else 1
        _, line, column, end_line, end_column = self.span
        if line == end_line and end_column - column == len(self.text) + 2 * quote:
            return self.span.part(quote + start, quote + end)
        return self.span


class Sequence(NamedTuple):
    """A list of trees, in order."""

    items: tuple[Tree, ...]
    span: Span


class Mapping(NamedTuple):
    """The entries of a mapping, in the order of the text.

    `lost` holds the keys of entries that were left out because of a fault of the key, or ANOTHER
    for a key without text. A key that is given twice has a faulty value and is in `lost` together
    with ANOTHER, as one of the two may have been meant as another key. All of these are reported.
    """

    entries: tuple[tuple[Scalar, Tree], ...]
    span: Span
    lost: tuple[str, ...] = ()

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None if the mapping lacks it."""
        for name, value in self.entries:  # a generator takes twice as long
            if name.value == key:
                return value
        return None

    def entry(self, key: str) -> tuple[Scalar, Tree] | None:
        """Return a key with its value, or None if the mapping lacks it."""
        for entry in self.entries:
            if entry[0].value == key:
                return entry
        return None

    def key(self, text: str) -> Scalar:
        """Return the key of this text, which the mapping has."""
        return next(key for key, _ in self.entries if key.text == text)

    def outdented(self, outer: Scalar, inner: Scalar) -> Mapping:
        """Return the mapping with the entry `inner`, which is indented too deep under `outer`, as an
        entry of its own."""
        entries: list[tuple[Scalar, Tree]] = []
        for key, value in self.entries:
            if key is outer and isinstance(value, Mapping):
                moved = [entry for entry in value.entries if entry[0] is inner]
                kept = tuple(entry for entry in value.entries if entry[0] is not inner)
                entries += ((key, value._replace(entries=kept)), *moved)
            else:
                entries.append((key, value))
        return self._replace(entries=tuple(entries))

    def with_lost(self, key: str) -> Mapping:
        """Return the mapping with one more key that was left out."""
        return self._replace(lost=(*self.lost, key))

    def with_faulty(self, *keys: str) -> Mapping:
        """Return the mapping with a faulty value for each of the keys that it lacks."""
        missing = [Scalar(key, self.span, key, True) for key in keys if self.get(key) is None]
        return self._replace(
            entries=(*self.entries, *((key, faulty(self.span)) for key in missing))
        )


Tree = Scalar | Sequence | Mapping


def tree_of(data: Any, span: Span) -> Tree:
    """Return the tree that a spec has for plain data, all of it at one place."""
    if isinstance(data, dict):
        return mapping_of(data, span)
    if isinstance(data, list | tuple):
        return Sequence(tuple([tree_of(item, span) for item in data]), span)
    return scalar_of(data, span)


def mapping_of(data: abc.Mapping[str, Any], span: Span) -> Mapping:
    """Return the mapping that a spec has for plain data by name."""
    entries = [(scalar_of(key, span), tree_of(value, span)) for key, value in data.items()]
    return Mapping(tuple(entries), span)


def scalar_of(value: Any, span: Span) -> Scalar:
    """Return the scalar that a spec has for a value that is no list or mapping."""
    is_huge = isinstance(value, int) and value.bit_length() > 9_999  # Python writes no such number
    return Scalar(value, span, hex(value) if is_huge else str(value), plain=True)


def faulty(span: Span, text: str = "") -> Scalar:
    """Return the scalar that stands for an unreadable part, which is reported elsewhere."""
    return Scalar(FAULTY, span, text, plain=True)


def is_faulty(tree: Tree | None) -> bool:
    """Return whether the tree stands for an unreadable part, which is reported already."""
    return isinstance(tree, Scalar) and tree.value is FAULTY


def is_null(tree: Tree | None) -> bool:
    """Return whether the tree is `null` or empty, as after a lone colon."""
    return isinstance(tree, Scalar) and tree.value is None


def described(tree: Tree) -> str:
    """Return a tree in a few words for a message: `a list`, `a mapping of 2 keys`, `'ReLU'`, `5`."""
    match tree:
        case Scalar(str(), _, text):
            return repr(brief(text))
        case Scalar(None | bool(), _, text):
            return code(text or "null")
        case Scalar(_, _, text):
            return brief(text)
        case Sequence(items):
            return "a list" if items else "an empty list"
        case Mapping(entries):
            count = len(entries)
            keys = f" of {count} key{'s' * (count != 1)}"
            return f"a {MAPPING}{keys}" if count else f"an empty {MAPPING}"


def brief(text: str) -> str:
    """Return a text for a message, cut to 40 characters."""
    return text if len(text) <= 40 else f"{text[:39]}…"


def texts(tree: Tree) -> Iterator[str]:
    """Yield every text in a tree, keys included; for a text with a dot, such as `node.port`, the
    part before the dot."""
    stack: list[Tree] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, Scalar):
            yield current.text.partition(".")[0]
        elif isinstance(current, Sequence):
            stack.extend(current.items)
        else:
            for key, value in current.entries:
                stack.extend((key, value))


def plain(tree: Tree) -> Any:
    """Return the value of a tree as numbers, texts, lists and dicts; an expression stays a text."""
    if isinstance(tree, Scalar):
        return tree.text if is_faulty(tree) else tree.value
    if isinstance(tree, Mapping):
        return {key.text: plain(value) for key, value in tree.entries}
    return [plain(item) for item in tree.items]


# Resolve plain scalars by YAML 1.2's core schema, refusing those that YAML 1.1 reads differently.


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


def why_faulty(text: str, span: Span, keys: list[str]) -> Diagnostic:
    """Return the diagnostic of a plain scalar that `resolve` finds faulty; `keys` are the keys
    around it, the nearest first, none for a key."""
    match = NUMBER.fullmatch(text)
    if match and match.lastgroup != "ambiguous":
        kind = "a float" if match.lastgroup == "float" else "an integer"
        return Diagnostic("too-large", f"{kind} must fit in 64 bits", span)
    message = f"YAML 1.1 and 1.2 read '{brief(text)}' differently"
    help = quote_it(text)
    meant = YES_OR_NO.get(text) or _unambiguous_number(text)
    if meant and keys and not takes_text(keys):
        help = f"{help}, or write {put(meant)}"
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


def takes_text(keys: list[str]) -> bool:
    """Return whether the value behind these keys, the nearest first, is a name or another text."""
    return keys[0] in TEXTS or not SOURCES.isdisjoint(keys[:2])


def key_help(text: str) -> str:
    """Return how to write a key that YAML reads as a number or another value."""
    if text.isidentifier():
        return quote_it(text)
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return f"begin it with a letter: {put('n' + brief(name))}" if name else "give it a name"


def quote_it(text: str) -> str:
    """Return the help for a text that YAML does not read as a text."""
    is_short = len(text) <= LONGEST and '"' not in text
    return "quote it: " + put(f'"{text}"') if is_short else "quote it"


# Refuse a text that is too large, nested too deep, or has characters that YAML does not allow.


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
