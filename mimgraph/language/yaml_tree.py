"""Text to tree: a spec's YAML or JSON as scalars, sequences and mappings that know where they stand."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Container, Iterator
from collections.abc import Sequence as Sequence_
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.graph import ANOTHER, FAULTY, Faulty
from mimgraph.source import SourceFile, Span

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MIN_INT, MAX_INT = -(1 << 63), (1 << 63) - 1


Value = str | int | float | bool | None | Faulty


class Scalar(NamedTuple):
    """Holds a value, the text it was resolved from, and whether that stood there without quotes.

    `tagged` says that the value is faulty because a tag, which is reported, stands in front of it.
    """

    value: Value
    span: Span
    text: str
    plain: bool
    tagged: bool = False

    @property
    def name(self) -> str | None:
        """Return the text of a value that is a text, or would be one without its tag."""
        if self.tagged:
            return self.text
        return self.value if isinstance(self.value, str) else None

    def part(self, start: int, end: int) -> Span:
        """Characters `start` to `end` of the text; the whole where they have no columns of their own."""
        quote = 0 if self.plain else 1
        _, line, column, end_line, end_column = self.span
        if line == end_line and end_column - column == len(self.text) + 2 * quote:
            return self.span.part(quote + start, quote + end)
        return self.span


class Sequence(NamedTuple):
    """Items in order."""

    items: tuple[Tree, ...]
    span: Span


class Mapping(NamedTuple):
    """Holds the entries in the order of the text.

    `lost` are the keys of entries that were left out because of them, ANOTHER for one without a
    text. A key given twice has no value, and is among them with ANOTHER: one of the two may have
    been meant for another key. All are reported.
    """

    entries: tuple[tuple[Scalar, Tree], ...]
    span: Span
    lost: tuple[str, ...] = ()

    def get(self, key: str) -> Tree | None:
        """The value at `key`, found by looking through the entries."""
        for name, value in self.entries:  # a generator takes twice as long
            if name.value == key:
                return value
        return None

    def outdented(self, outer: Scalar, inner: Scalar) -> Mapping:
        """Return the mapping, with the entry of one key that the mapping behind another key holds
        by wrong indentation."""
        entries: list[tuple[Scalar, Tree]] = []
        for key, value in self.entries:
            if key is outer and isinstance(value, Mapping):
                moved = [entry for entry in value.entries if entry[0] is inner]
                kept = tuple(entry for entry in value.entries if entry[0] is not inner)
                entries += ((key, value._replace(entries=kept)), *moved)
            else:
                entries.append((key, value))
        return self._replace(entries=tuple(entries))

    def with_faulty(self, *keys: str) -> Mapping:
        """Return the mapping with faulty values for those of the keys that it lacks."""
        missing = [Scalar(key, self.span, key, True) for key in keys if self.get(key) is None]
        faulty = Scalar(FAULTY, self.span, "", plain=True)
        return self._replace(entries=(*self.entries, *((key, faulty) for key in missing)))


Tree = Scalar | Sequence | Mapping
Report = Callable[..., None]  # takes a diagnostic, and the words that it speaks of


# libyaml's parser; PyYAML's own where libyaml is absent
PARSER: Callable[[str], Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def compose(file: SourceFile, report: Report) -> Tree | None:
    """The tree of a spec's text, or None if it cannot be read; `report` is told of every fault."""
    composer = _Composer(file)
    text = file.text.removeprefix("\ufeff")
    try:
        _check_size(file, text)
        if text.lstrip(" \t\r\n").startswith("{") and _is_json(text):
            composer.read_json(text)
        else:
            composer.read_yaml(text)
    except _Unreadable as fault:
        composer.close_all()
        if not composer.is_only_template():
            composer.refuse(fault.diagnostic)
        composer.tell(report)
        return None
    composer.tell(report)
    return composer.root()


def texts(tree: Tree) -> Iterator[str]:
    """Yield every text in a tree, keys included, and the part of each name before a dot."""
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


class _Unreadable(Exception):
    """Ends the reading, for this reason."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


# --- plain scalars ----------------------------------------------------------------------------

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
        [-+]? 0[0-9_]+ | 0o[0-7]+                            # octal in one of the two
      | [-+]? 0b[01_]+ | [-+]? 0x[0-9a-fA-F_]+
      | [-+]? [1-9][0-9_]*
      | [-+]? (?: [0-9][0-9_]*\. | \.[0-9] ) [0-9_]* (?: [eE][-+][0-9]+ )?
      | [-+]? [1-9][0-9_]* (?: :[0-5]?[0-9] )+               # to the base 60
      | [-+]? [0-9][0-9_]* (?: :[0-5]?[0-9] )+ \.[0-9_]*
      | [0-9]{4}-[0-9]{2}-[0-9]{2}                           # a date, or one with a time
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [Tt] | [ \t]+ ) [0-9]{1,2}:[0-9]{2}:[0-9]{2}
        (?: \.[0-9]* )? (?: [ \t]* (?: Z | [-+][0-9]{1,2} (?: :[0-9]{2} )? ) )?
    )""",
    re.VERBOSE,
)


def resolve(text: str) -> Value:
    """The value of a plain scalar by YAML 1.2's core schema; FAULTY if that is no good."""
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


def fault_of(text: str, span: Span, keys: Sequence_[str]) -> Diagnostic:
    """Return why `resolve` found a plain scalar faulty, which stands behind these keys."""
    match = NUMBER.fullmatch(text)
    if match and match.lastgroup != "ambiguous":
        kind = "a float" if match.lastgroup == "float" else "an integer"
        return Diagnostic("too-large", f"{kind} of more than 64 bits", span)
    message = f"YAML 1.1 and 1.2 read '{_brief(text)}' differently"
    help = f'quote it: "{_brief(text)}"'
    meant = YES_OR_NO.get(text) or _plain_number(text)
    if meant and keys and not _is_text(keys):
        help = f"write {meant}, or, if it is a text, {help}"
    elif not keys:
        help = _as_key(text)
    return Diagnostic("ambiguous-scalar", message, span, help=help)


@lru_cache(maxsize=256)
def _plain_number(text: str) -> str:
    """Return the number that was meant as both versions of YAML read it, 64 for `064`; "" if none
    was, as of a time."""
    digits = text.replace("_", "").lstrip("+")
    for number in (int, partial(int, base=0), float):
        with suppress(ValueError):
            plain = str(number(digits))
            return "" if resolve(plain) is FAULTY else plain
    return ""


def _is_text(keys: Sequence_[str]) -> bool:
    """Return whether what stands behind these keys, the nearest first, is a name or another text."""
    return keys[0] in TEXTS or not SOURCES.isdisjoint(keys[:2])


def _as_key(text: str) -> str:
    """Return how a key is written that YAML does not read as a text."""
    if text.isidentifier():
        return f'quote it: "{_brief(text)}"'
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return f"begin it with a letter: n{_brief(name)}" if name else "give it a name"


class _Resolved(dict[str, Value]):
    """What plain scalars resolve to; a spec says the same words over and over."""

    def __missing__(self, text: str) -> Value:
        value = self[text] = resolve(text)
        return value


# --- from events to a tree --------------------------------------------------------------------

NO_ALIASES = "write `params` for values and `blocks` for sub-graphs that are used again"
SURROGATE = re.compile("[\ud800-\udfff]")
PROPERTIES = re.compile(r"{0}\s*{0}?".replace("{0}", r"(!<[^>\s]*>|[&!][^\s\[\]{},]*)"))
GLUED = re.compile(r"\?[^\s?]")
YAML_TAGS = "tag:yaml.org,2002:"
RESOLVED_TAGS = ("int", "float", "bool", "null")  # what such a scalar says without its tag, too
TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>|\$\{[^{}]*\}|%\(\w+\)[a-z]|@\w+@", re.ASCII)
TUPLE_START = re.compile(r"\([^()]*")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)  # of a template's variable
SOURCES = frozenset(("from", "each", "outputs"))  # keys of names, also in a list or by name
TEXTS = SOURCES | {"name", "doc", "layer", "merge", "block", "share", "take", "dtype", "only"}
CHOSEN = frozenset(("layer", "merge", "block"))  # of these texts a param may give
MOST_LABELS = 8  # of the other places of an ambiguous word
NODES = (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent)
BLOCK_STYLES = ("|", ">")
BREAKS = ("\x85", "\u2028", "\u2029")  # end a line in YAML 1.1, but not in 1.2 and not in an editor
HIDDEN = ("\ufdd0", "\ufdd1", "\ufdd2")  # noncharacters, which stand for them while YAML is parsed
HIDE_BREAKS = str.maketrans(dict(zip(BREAKS, HIDDEN, strict=True)))
SHOW_BREAKS = str.maketrans(dict(zip(HIDDEN, BREAKS, strict=True)))
NOT_PRINTABLE = (
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdd3-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
TEXT_ENDS = "[{\"'"  # what ends a text without quotes within [ ] and { }
CONTROL = r"[^\t\n\r\x20-\x7e]"  # the same of ASCII: to compile the other takes milliseconds
JSON_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*+"|[-+.\w]+|[\[\]{}]|\r\n?|\n')

Kind = type[Sequence] | type[Mapping]


class _Open(NamedTuple):
    """Holds a collection that has begun, the items of the one around it, and how many faults
    precede it."""

    kind: Kind
    line: int
    column: int
    outer: list[Tree]
    faults: int


class _Fault(NamedTuple):
    """Holds a fault and the words it is about; `ambiguous` is the text of an ambiguous scalar."""

    diagnostic: Diagnostic
    words: tuple[str, ...] = ()
    ambiguous: str | None = None


class _Composer:
    """Builds the tree from what the text brings in turn: scalars, and collections that open and close.

    `items` are those of the innermost open collection; in a mapping keys and values alternate.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.faults: list[_Fault] = []
        self.ambiguous_keys: set[Span] = set()
        self.left_out: list[Tree] = []  # the values of faulty keys, whose words are spoken of
        self.items: list[Tree] = []
        self.stack: list[_Open] = []
        self.resolved = _Resolved()
        self.anchors: set[str] = set()
        self.params: set[str] = set()  # the names of all that are declared up to here
        self.has_tuple = False  # whether a text begins as one of Python

    def root(self) -> Tree:
        """What was read; an empty document is an empty mapping."""
        root = self.items[0] if self.items else None
        if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
            return Mapping((), Span(self.file, 1, 1, 1, 1))
        return root

    def is_only_template(self) -> bool:
        """Return whether the text begins with `{{ x }}`, which makes the rest another document."""
        first = self.items[0] if self.items else None
        return isinstance(first, Scalar) and first.text.startswith("{{") and first.value is FAULTY

    def add(self, text: str, span: Span, plain: bool) -> None:
        """A scalar; `text` is without quotes and escapes."""
        value: Value = text
        if plain:
            value = self.resolved[text]
            if value is FAULTY:
                fault = fault_of(text, span, self.keys(self.items))
                word = text if fault.code == "ambiguous-scalar" else None
                self.faults.append(_Fault(fault, (text,), word))
            elif text[:1] == "(" and TUPLE_START.fullmatch(text):
                self.has_tuple = True
        elif not text.isascii() and SURROGATE.search(text):
            value = FAULTY
            self.refuse(Diagnostic("yaml-syntax", "an escape that is half a character", span))
        self.items.append(Scalar(value, span, text, plain))

    def open(self, kind: Kind, line: int, column: int) -> None:
        if len(self.stack) == MAX_DEPTH:
            span = Span(self.file, line, column, line, column + 1)
            raise _Unreadable(_too_deep(span))
        self.stack.append(_Open(kind, line, column, self.items, len(self.faults)))
        self.items = []

    def close(self, end_line: int, end_column: int) -> None:
        kind, line, column, outer, faults = self.stack.pop()
        items, self.items = self.items, outer
        span = Span(self.file, line, column, end_line, end_column)
        closed: Tree
        if kind is Sequence:
            closed = Sequence(tuple(items), span)
        elif end_line and self.is_template(items, line, column):
            del self.faults[faults:]
            closed = self.template(span)
        else:
            closed = self.mapping(items, span)
            key = outer[-1] if outer else None
            if isinstance(key, Scalar) and key.text == "params":
                self.params.update(name.text for name, _ in closed.entries)
        outer.append(closed)

    def keys(self, items: list[Tree]) -> list[str]:
        """Return the keys behind which the next of the items of the innermost open collection
        stands, the nearest first; none of a key itself."""
        found: list[str] = []
        for kind, _, _, outer, _ in reversed(self.stack):
            if kind is Mapping:
                if len(items) % 2 == 0:
                    break
                found.append(items[-1].text if isinstance(items[-1], Scalar) else "")
            items = outer
        return found

    def close_all(self) -> None:
        """Close all open collections, as the reading ended early; their faults are noted."""
        while self.stack:
            self.close(0, 0)

    def mapping(self, items: list[Tree], span: Span) -> Mapping:
        """The items in pairs, without those whose key is at fault."""
        entries: dict[str, tuple[Scalar, Tree]] = {}
        lost: list[str] = []
        pairs = iter(self.with_tuples(items) if self.has_tuple else items)
        for key, value in zip(pairs, pairs, strict=False):  # a key may be left at a syntax fault
            if isinstance(key, Scalar) and key.tagged:
                key = Scalar(key.text, key.span, key.text, key.plain)
            if not (isinstance(key, Scalar) and isinstance(key.value, str)) or _is_merge(key):
                self.refuse_key(key, value)
                lost.append(_lost_name(key))
            elif key.value in entries:
                first, other = entries[key.value]
                self.refuse_duplicate(key, first, (other, value))
                entries[key.value] = first, Scalar(FAULTY, other.span, "", plain=True)
                lost += (key.value, ANOTHER)
            else:
                entries[key.value] = key, value
        return Mapping(tuple(entries.values()), span, tuple(lost))

    def with_tuples(self, items: list[Tree]) -> list[Tree]:
        """The items with each tuple of Python, `kernel_size: (3, 3)`, as the one text that was meant:
        its commas end a value, and what is behind them are keys without one."""
        found: list[Tree] = []
        start: Scalar | None = None  # of a tuple that is open
        at = 0  # where it stands
        pairs = iter(items)
        for key, value in zip(pairs, pairs, strict=False):
            if start is not None and not _is_in_tuple(start, key, value):
                start = None
            found += (key, value)
            if start is not None and isinstance(key, Scalar) and key.text.endswith(")"):
                span = start.span.to(key.span)
                text = self.file.line(span.line)[span.column - 1 : span.end_column - 1]
                found[at:] = [Scalar(text, span, text, plain=True)]
                start = None
            elif isinstance(value, Scalar) and value.plain and TUPLE_START.fullmatch(value.text):
                is_doc = isinstance(key, Scalar) and key.text == "doc"  # where any text may stand
                start, at = None if is_doc else value, len(found) - 1
        return found

    def is_template(self, items: list[Tree], line: int, column: int) -> bool:
        """Return whether the mapping that ends is `{{ x }}`: its first key is a mapping right at
        its bracket."""
        first = items[0] if items else None
        if first is None or (isinstance(first, Scalar) and first.value is not FAULTY):
            return False
        beside = first.span.line == line and first.span.column == column + 1
        return beside and self.file.line(line)[column - 1 : column + 1] == "{{"

    def template(self, span: Span) -> Scalar:
        """Report `{{ x }}`, and return a faulty value for it."""
        line = self.file.line(span.line)
        end = span.end_column - 1 if span.end_line == span.line else len(line)
        text = line[span.column - 1 : end]
        self.refuse(_unfilled(text, span, self.keys(self.items), self.params))
        return Scalar(FAULTY, span, text, plain=True)

    # --- faults that do not end the reading

    def refuse(self, diagnostic: Diagnostic, *trees: Tree) -> None:
        """Note a fault, and the words of the trees, as a fault of these words would follow from it."""
        words = tuple(word for tree in trees for word in texts(tree))
        self.faults.append(_Fault(diagnostic, words))

    def tell(self, report: Report) -> None:
        """Report the noted faults; an ambiguous word that is also a key is reported once, at the
        key."""
        keys: dict[str, Span] = {}
        others: dict[str, list[Label]] = {}
        for diagnostic, _, word in self.faults:
            if word is not None and diagnostic.span in self.ambiguous_keys:
                keys.setdefault(word, diagnostic.span)
        for diagnostic, _, word in self.faults:
            if word is not None and keys.get(word, diagnostic.span) != diagnostic.span:
                others.setdefault(word, []).append(Label(diagnostic.span, "and here"))
        left_out = [word for tree in self.left_out for word in texts(tree)]
        for diagnostic, words, word in self.faults:
            if word is not None and word in others:
                if diagnostic.span != keys[word]:
                    continue
                diagnostic = replace(diagnostic, labels=tuple(others[word][:MOST_LABELS]))
            report(diagnostic, *words, *left_out)
            left_out = []

    def refuse_key(self, key: Tree, value: Tree) -> None:
        if not isinstance(key, Scalar):
            kind = "list" if isinstance(key, Sequence) else "mapping"
            self.refuse_subset(f"a key must be text, not a {kind}", key.span, "", key, value)
        elif _is_merge(key):
            if not _is_alias(value):
                self.refuse_subset("merge keys are not read", key.span, NO_ALIASES, value)
        elif key.value is FAULTY:
            self.ambiguous_keys.add(key.span)
            self.left_out.append(value)
        else:
            mend = _as_key(key.text)
            if key.text.isdecimal() and "each" in self.keys(self.items)[:1]:  # a port
                mend = f'quote it: "{_brief(key.text)}"'
            message = f"a key must be text, not {_brief(key.text) or 'empty'}"
            self.refuse_subset(message, key.span, mend, key, value)

    def refuse_duplicate(self, key: Scalar, first: Scalar, values: tuple[Tree, Tree]) -> None:
        label = Label(first.span, "first given here")
        message = f"{_brief(key.text)} is given twice"
        fault = Diagnostic("duplicate-key", message, key.span, labels=(label,))
        self.refuse(fault, key, *values)

    def refuse_properties(self, event: Any) -> None:
        """Tell of a node's anchor and tag, which stand where the node begins."""
        self.anchors.add(event.anchor)
        line = event.start_mark.line + 1
        properties = PROPERTIES.match(self.file.line(line), event.start_mark.column)
        for group in (1, 2):
            if properties and properties[group]:
                start, end = properties.span(group)
                span = Span(self.file, line, start + 1, line, end + 1)
                if properties[group].startswith("&"):
                    self.refuse_subset("anchors are not read", span, NO_ALIASES)
                else:
                    help = "leave it out: values are plain data"
                    self.refuse_subset("tags are not read", span, help)

    def refuse_subset(self, message: str, span: Span, help: str = "", *trees: Tree) -> None:
        self.refuse(Diagnostic("yaml-subset", message, span, help=help), *trees)

    # --- YAML

    def read_yaml(self, text: str) -> None:
        """The events of one document."""
        _check_printable(self.file, text)
        hidden = not text.isascii()
        safe = text.translate(HIDE_BREAKS) if hidden else text
        if safe.endswith((" ", "\t")):
            safe += "\n"  # else libyaml forgets a last line that is blank
        glued = bool(GLUED.search(text))
        for event in self.events(safe):
            kind = type(event)
            if glued and kind in NODES:
                self.check_glued(event)
            if kind is ScalarEvent:
                self.scalar(event, event.value.translate(SHOW_BREAKS) if hidden else event.value)
            elif kind is MappingStartEvent:
                self.start(Mapping, event)
            elif kind is SequenceStartEvent:
                self.start(Sequence, event)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self.end(event)
            elif kind is AliasEvent:
                self.alias(event)
            elif kind is DocumentStartEvent and self.items:
                help = "one file is one spec: put it in a file of its own"
                self.refuse_subset("a second document is not read", self.span(event), help)
                break

    def events(self, text: str) -> Iterator[Any]:
        """What libyaml tells one by one, so that the reading can stop at a limit."""
        next_event = PARSER(text).get_event
        event: Any = None
        try:
            while type(event := next_event()) is not StreamEndEvent:
                yield event
        except yaml.MarkedYAMLError as error:
            raise _Unreadable(self.syntax_fault(error)) from error
        except (ValueError, OverflowError) as error:  # of chr() and decode(), at an escape
            place = self.fault_span(event.end_mark)
            fault = Diagnostic("yaml-syntax", "an escape that is no character", place)
            raise _Unreadable(fault) from error

    def check_glued(self, event: Any) -> None:
        """`{?key: 1}` is a key with a `?` in YAML 1.2, but to libyaml the `?` says that a key follows."""
        line, column = event.start_mark.line + 1, event.start_mark.column
        if self.file.line(line)[max(column - 1, 0) : column] == "?":
            span = Span(self.file, line, column, line, column + 1)
            fault = Diagnostic("yaml-syntax", "a question mark needs a space behind it", span)
            raise _Unreadable(fault)

    def scalar(self, event: Any, text: str) -> None:
        style = event.style
        if style in BLOCK_STYLES:
            span = self.block_span(event)
        elif text or style:
            span = self.span(event)
        else:
            span = self.empty_span(event)
        if event.anchor or event.tag:
            self.refuse_properties(event)
            span = self.without_properties(span, text, style)
        if event.tag:
            self.add_tagged(event.tag, text, span, not style)
        else:
            self.add(text, span, not style)

    def add_tagged(self, tag: str, text: str, span: Span, plain: bool) -> None:
        """Add a scalar with a tag, which is reported: a tag of YAML tells its value, another makes
        it faulty."""
        tagged = Scalar(FAULTY, span, text, plain, tagged=True)
        if tag == f"{YAML_TAGS}str":
            tagged = Scalar(text, span, text, plain)
        elif tag.startswith(YAML_TAGS) and tag.removeprefix(YAML_TAGS) in RESOLVED_TAGS:
            tagged = Scalar(self.resolved[text], span, text, plain)
        self.items.append(tagged)

    def start(self, kind: Kind, event: Any) -> None:
        mark = event.start_mark
        if event.anchor or event.tag:
            self.refuse_properties(event)
        self.open(kind, mark.line + 1, mark.column + 1)

    def end(self, event: Any) -> None:
        mark = event.end_mark
        if event.start_mark.index < mark.index:
            self.close(mark.line + 1, mark.column + 1)
        else:  # no bracket: the mark stands after the blank lines that follow
            self.close(*self.items[-1].span[3:])

    def alias(self, event: Any) -> None:
        span = self.span(event)
        if event.anchor not in self.anchors:
            self.refuse_subset("aliases are not read", span, NO_ALIASES)
        self.items.append(Scalar(FAULTY, span, f"*{event.anchor}", plain=True))

    def syntax_fault(self, error: yaml.MarkedYAMLError) -> Diagnostic:
        mark, context = error.problem_mark, error.context_mark
        assert mark is not None and error.problem is not None
        span = self.fault_span(mark)
        labels = []
        if context and error.context and (context.line, context.column) != (mark.line, mark.column):
            labels.append(Label(self.fault_span(context), error.context))
        for template in TEMPLATE.finditer(self.file.line(mark.line + 1)):
            if template.start() <= mark.column <= template.end():
                line, start, end = mark.line + 1, template.start() + 1, template.end() + 1
                place = Span(self.file, line, start, line, end)
                items = self.items
                if items and isinstance(items[-1], Scalar) and items[-1].text == "$":
                    items = items[:-1]  # the begin of `${hidden}`
                return _unfilled(template[0], place, self.keys(items), self.params)
        character = self.file.line(mark.line + 1)[mark.column : mark.column + 1]
        if error.problem == "exceeded maximum nesting depth":  # libyaml's own, when it looks ahead
            return _too_deep(span)
        message, help = _in_our_words(error.problem, character)
        return Diagnostic("yaml-syntax", message, span, labels=tuple(labels), help=help)

    # --- from marks, which count from 0, to spans

    def span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def without_properties(self, span: Span, text: str, style: str | None) -> Span:
        """Return the span of a scalar without its anchor and tag, if its text stands on one line
        unescaped."""
        quote = 1 if style else 0
        start = span.end_column - len(text) - 2 * quote
        as_written = self.file.line(span.end_line)[start - 1 + quote : span.end_column - 1 - quote]
        if span.line != span.end_line or start < span.column or as_written != text:
            return span
        return Span(self.file, span.line, start, span.line, span.end_column)

    def block_span(self, event: Any) -> Span:
        """Of a `|` or `>` text, without the blank lines and the indentation behind it."""
        start = event.start_mark
        return Span(self.file, start.line + 1, start.column + 1, *self.behind_text(event.end_mark))

    def empty_span(self, event: Any) -> Span:
        place = self.behind_text(event.end_mark)
        return Span(self.file, *place, *place)

    def fault_span(self, mark: Any) -> Span:
        """A point; the end of the text where YAML stopped in the blank lines behind it."""
        blank = not self.file.line(mark.line + 1).strip()
        place = self.behind_text(mark) if blank else (mark.line + 1, mark.column + 1)
        return Span(self.file, *place, *place)

    def behind_text(self, mark: Any) -> tuple[int, int]:
        """Line and column behind the last character before a mark that is not blank."""
        line = mark.line + 1
        before = self.file.line(line)[: mark.column]
        while line > 1 and not before.strip():
            line -= 1
            before = self.file.line(line)
        return line, len(before.rstrip()) + 1

    # --- JSON

    def read_json(self, text: str) -> None:
        """The tokens of a text known to be JSON: its commas and colons say nothing more."""
        line, line_start = 1, 0
        for match in JSON_TOKEN.finditer(text):
            token = match[0]
            column, end_column = match.start() - line_start + 1, match.end() - line_start + 1
            if token[0] in "\r\n":
                line, line_start = line + 1, match.end()
            elif token in "{[":
                self.open(Mapping if token == "{" else Sequence, line, column)
            elif token in "}]":
                self.close(line, end_column)
            else:
                plain = token[0] != '"'
                inner = token if plain else json.loads(token) if "\\" in token else token[1:-1]
                self.add(inner, Span(self.file, line, column, line, end_column), plain)


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.value == "<<"


def _lost_name(key: Tree) -> str:
    """Return the name that readers would give the entry of a faulty key; ANOTHER if that is
    unknown."""
    if not isinstance(key, Scalar) or not key.text or _is_merge(key) or _is_alias(key):
        return ANOTHER
    return ANOTHER if TEMPLATE.match(key.text) else key.text


def _unfilled(text: str, span: Span, keys: Sequence_[str], params: Container[str]) -> Diagnostic:
    """Return the fault of a template's `{{ x }}` or `{% if x %}` that is left in the text, behind
    these keys."""
    code: DiagnosticCode = "yaml-subset" if text.startswith("{{") else "yaml-syntax"
    name = NAME.search(text)
    param = name[0].rpartition(".")[2] if name else "x"
    help = f"fill it in before, or declare params: {{{param}: ...}} and write ${param}"
    if text.startswith(("{%", "<%")):
        help = "fill it in before: a spec has no statements"
    elif not keys or (_is_text(keys) and keys[0] not in CHOSEN):
        help = "fill it in before: no param is read here"
    elif param in params:
        help = f"write ${param}"
    message = f"{_brief(text)} is left from a template that was not filled in"
    return Diagnostic(code, message, span, help=help)


def _is_in_tuple(start: Scalar, key: Tree, value: Tree) -> bool:
    """Whether a key without a value, on the line of its start, may be of a tuple."""
    is_key = isinstance(key, Scalar) and key.plain and "(" not in key.text
    is_empty = isinstance(value, Scalar) and value.value is None
    return is_key and is_empty and key.span.line == start.span.line


def _is_alias(value: Tree) -> bool:
    """An alias or a list of them, whose fault has been told."""
    if isinstance(value, Sequence):
        return bool(value.items) and all(map(_is_alias, value.items))
    return isinstance(value, Scalar) and value.value is FAULTY and value.text.startswith("*")


def _is_json(text: str) -> bool:
    try:
        # numbers are not converted here; int() refuses NaN and Infinity
        json.loads(text, parse_int=str, parse_float=str, parse_constant=int)
    except (ValueError, RecursionError):
        return False
    return True


def _too_deep(span: Span) -> Diagnostic:
    return Diagnostic("too-large", f"more than {MAX_DEPTH} levels deep", span)


def _brief(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _check_size(file: SourceFile, text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise _Unreadable(_bad_character(file, text, error.start)) from error
    if size > MAX_BYTES:
        message = f"{size} bytes of text, the limit is {MAX_BYTES}"
        raise _Unreadable(Diagnostic("too-large", message, Span(file, 1, 1, 1, 1)))


def _check_printable(file: SourceFile, text: str) -> None:
    if match := re.search(CONTROL if text.isascii() else NOT_PRINTABLE, text):
        raise _Unreadable(_bad_character(file, text, match.start()))


def _bad_character(file: SourceFile, text: str, offset: int) -> Diagnostic:
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"the character U+{ord(text[offset]):04X} is not allowed"
    if "\udc80" <= text[offset] <= "\udcff":  # how a byte that cannot be decoded is kept
        message = "the text is not UTF-8"
    return Diagnostic("yaml-syntax", message, Span(file, line, column, line, column + 1))


def _in_our_words(problem: str, character: str) -> tuple[str, str]:
    """The message and the help for what a YAML parser says; `character` is where it stopped."""
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab cannot indent", "indent with spaces"
        return f"a value cannot begin with {character}", "quote it"
    if "',' or" in problem and character and character in TEXT_ENDS:
        return problem, f"quote a text that has {character} in it, or put a comma in front of it"
    if "expected alphabetic or numeric character" in problem:
        return problem, "quote a text that has & or * in it"
    if problem.startswith("mapping values are not allowed"):
        return (
            "a colon is not allowed here",
            "quote a text that has a colon and a space in it, or mend the indentation",
        )
    if "<document start>" in problem:
        return "nothing may stand behind the end of the document", ""
    return problem[:1].lower() + problem[1:], ""
