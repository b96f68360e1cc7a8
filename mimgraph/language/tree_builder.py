"""Build the tree of a text from events: scalars, and collections that open and close."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import replace
from typing import NamedTuple

from mimgraph.declare.tree import (
    MAX_DEPTH,
    Mapping,
    Scalar,
    Sequence,
    Tree,
    Unreadable,
    Value,
    brief,
    faulty,
    is_null,
    key_help,
    quote_it,
    resolve,
    takes_text,
    texts,
    too_deep,
    why_faulty,
)
from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import write
from mimgraph.ir.declared_values import ANOTHER, FAULTY
from mimgraph.source import SourceFile, Span

MOST_LABELS = 8  # for the other places of an ambiguous word
NO_ALIASES = "use params for values that repeat, and blocks for sub-graphs that repeat"

AddDiagnostic = Callable[..., None]  # takes a diagnostic, and the names that it mentions


class Fault(NamedTuple):
    """A diagnostic and the names it mentions; `ambiguous` is the text of an ambiguous scalar."""

    diagnostic: Diagnostic
    words: tuple[str, ...] = ()
    ambiguous: str | None = None


class Faults:
    """The faults found so far, in the order of the text."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self.ambiguous_keys: set[Span] = set()
        self.left_out: list[Tree] = []  # the values of ambiguous keys

    def add(self, diagnostic: Diagnostic, *trees: Tree) -> None:
        """Add a fault that mentions the names in the trees, as other errors about them follow from
        it."""
        words = tuple(word for tree in trees for word in texts(tree))
        self.found.append(Fault(diagnostic, words))

    def not_read(self, message: str, span: Span, help: str = "", *trees: Tree) -> None:
        """Add a fault: a part of YAML that specs do not have."""
        self.add(Diagnostic("yaml-subset", message, span, help=help), *trees)

    def ambiguous_key(self, key: Scalar, value: Tree) -> None:
        """Record that an ambiguous scalar, whose fault is added already, is a key."""
        self.ambiguous_keys.add(key.span)
        self.left_out.append(value)

    def duplicate_key(self, key: Scalar, first: Scalar, values: tuple[Tree, Tree]) -> None:
        """Add the fault of a key that is given twice; it mentions the names in both values."""
        label = Label(first.span, "first given here")
        message = f"{brief(key.text)} is given twice"
        fault = Diagnostic("duplicate-key", message, key.span, labels=(label,))
        self.add(fault, key, *values)

    def report(self, report: AddDiagnostic) -> None:
        """Report all faults; an ambiguous word that also is a key is reported once, at the key."""
        keys: dict[str, Span] = {}
        others: dict[str, list[Label]] = {}
        for diagnostic, _, word in self.found:
            if word is not None and diagnostic.span in self.ambiguous_keys:
                keys.setdefault(word, diagnostic.span)
        for diagnostic, _, word in self.found:
            if word is not None and keys.get(word, diagnostic.span) != diagnostic.span:
                others.setdefault(word, []).append(Label(diagnostic.span, "and here"))
        left_out = [word for tree in self.left_out for word in texts(tree)]
        for diagnostic, words, word in self.found:
            if word is not None and word in others:
                if diagnostic.span != keys[word]:
                    continue
                diagnostic = replace(diagnostic, labels=tuple(others[word][:MOST_LABELS]))
            report(diagnostic, *words, *left_out)
            left_out = []


# Recognise parts of a template that was not filled in: `{{ x }}`, `{% if x %}`, `${x}`.


TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>|\$\{[^{}]*\}|%\(\w+\)[a-z]|@\w+@", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)  # a variable of a template
CHOSEN = frozenset(("layer", "merge", "block"))  # keys whose name a param may give


def is_template(file: SourceFile, items: list[Tree], line: int, column: int) -> bool:
    """Return whether a mapping with these items, which begins at `line` and `column`, is `{{ x }}`:
    its first key is a mapping right behind its bracket."""
    first = items[0] if items else None
    if first is None or (isinstance(first, Scalar) and first.value is not FAULTY):
        return False
    beside = first.span.line == line and first.span.column == column + 1
    return beside and file.line(line)[column - 1 : column + 1] == "{{"


def template_text(span: Span) -> str:
    """Return the text of a template, up to the end of its first line."""
    line = span.file.line(span.line)
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return line[span.column - 1 : end]


def not_filled_in(text: str, span: Span, keys: list[str], params: Container[str]) -> Diagnostic:
    """Return the diagnostic of a template that is the value of these keys, the nearest first;
    `params` are declared in the spec."""
    code: DiagnosticCode = "yaml-subset" if text.startswith("{{") else "yaml-syntax"
    name = NAME.search(text)
    param = name[0].rpartition(".")[2] if name else "x"
    help = f"fill in the template first, or declare params: {{{param}: ...}} and write ${param}"
    if text.startswith(("{%", "<%")):
        help = "fill in the template first: a spec has no statements"
    elif not keys or (takes_text(keys) and keys[0] not in CHOSEN):
        help = "fill in the template first: a param cannot be used here"
    elif param in params:
        help = write(f"${param}")
    message = f"{brief(text)} is part of a template that was not filled in"
    return Diagnostic(code, message, span, help=help)


# Build the tree of a text from events: scalars, and collections that open and close.


TUPLE_START = re.compile(r"\([^()]*")


def with_tuples_joined(items: list[Tree]) -> list[Tree]:
    """Return the keys and values of a mapping in turn, with each tuple as one text.

    `{kernel_size: (3, 3)}` is read as `{kernel_size: "(3", "3)": null}`.
    """
    found: list[Tree] = []
    start: Scalar | None = None  # the first part of an open tuple
    at = 0  # its index in `found`
    pairs = iter(items)
    for key, value in zip(pairs, pairs, strict=False):
        if start is not None and not _may_continue(start, key, value):
            start = None
        found += (key, value)
        if start is not None and isinstance(key, Scalar) and key.text.endswith(")"):
            span = start.span.to(key.span)
            text = span.file.line(span.line)[span.column - 1 : span.end_column - 1]
            found[at:] = [Scalar(text, span, text, plain=True)]
            start = None
        elif isinstance(value, Scalar) and value.plain and TUPLE_START.fullmatch(value.text):
            is_doc = isinstance(key, Scalar) and key.text == "doc"  # its value may be any text
            start, at = None if is_doc else value, len(found) - 1
    return found


def _may_continue(start: Scalar, key: Tree, value: Tree) -> bool:
    """Return whether a key may be a part of the tuple: it has no value and is on the same line."""
    is_key = isinstance(key, Scalar) and key.plain and "(" not in key.text
    return is_key and is_null(value) and key.span.line == start.span.line


MERGE = "<<"
SURROGATE = re.compile("[\ud800-\udfff]")


Kind = type[Sequence] | type[Mapping]


class Open(NamedTuple):
    """An open collection, with the items of the one around it and the number of faults before it."""

    kind: Kind
    line: int
    column: int
    outer: list[Tree]
    faults: int


class TreeBuilder:
    """A tree that is being built, and its faults.

    `items` are those of the innermost open collection; in a mapping keys and values alternate.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.faults = Faults()
        self.items: list[Tree] = []
        self.stack: list[Open] = []
        self.params: set[str] = set()  # the names that are declared so far
        self.anchors: set[str] = set()  # the names that anchors gave so far, each reported
        self.has_tuple = False  # whether a scalar looks like the start of a Python tuple

    def root(self) -> Tree:
        """Return the whole tree; an empty document is an empty mapping."""
        root = self.items[0] if self.items else None
        if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
            return Mapping((), self.file.start)
        return root

    def begins_with_template(self) -> bool:
        """Return whether the text begins with `{{ x }}`, which makes the rest another document."""
        first = self.items[0] if self.items else None
        return isinstance(first, Scalar) and first.text.startswith("{{") and first.value is FAULTY

    def add(self, text: str, span: Span, plain: bool) -> None:
        """Add a scalar; `text` is without quotes and escapes."""
        value: Value = text
        if plain:
            value = resolve(text)
            if value is FAULTY and self._is_our_key(text):
                value = text
            elif value is FAULTY:
                # a lone value is no key: that of `--set frozen=yes`
                keys = self.keys(self.items) if self.stack else [""]
                fault = why_faulty(text, span, keys)
                ambiguous = text if fault.code == "ambiguous-scalar" else None
                self.faults.found.append(Fault(fault, (text,), ambiguous))
            elif text[:1] == "(" and TUPLE_START.fullmatch(text):
                self.has_tuple = True
        elif not text.isascii() and SURROGATE.search(text):
            value = FAULTY
            self.faults.add(
                Diagnostic("yaml-syntax", "this escape is half of a surrogate pair", span)
            )
        self.items.append(Scalar(value, span, text, plain))

    def open(self, kind: Kind, line: int, column: int) -> None:
        """Open a collection."""
        if len(self.stack) == MAX_DEPTH:
            raise Unreadable(too_deep(Span(self.file, line, column, line, column + 1)))
        self.stack.append(Open(kind, line, column, self.items, len(self.faults.found)))
        self.items = []

    def close(self, end_line: int, end_column: int) -> None:
        """Close the innermost open collection, and add it to the one around it."""
        kind, line, column, outer, faults = self.stack.pop()
        items, self.items = self.items, outer
        span = Span(self.file, line, column, end_line, end_column)
        closed: Tree
        if kind is Sequence:
            closed = Sequence(tuple(items), span)
        elif end_line and is_template(self.file, items, line, column):
            del self.faults.found[faults:]
            text = template_text(span)
            self.faults.add(not_filled_in(text, span, self.keys(self.items), self.params))
            closed = faulty(span, text)
        else:
            closed = self._mapping(items, span)
            key = outer[-1] if outer else None
            if type(key) is Scalar and key.text == "params":
                self.params.update(name.text for name, _ in closed.entries)
        outer.append(closed)

    def close_all(self) -> None:
        """Close all open collections, where the reading ends early, to find their faults."""
        while self.stack:
            self.close(0, 0)

    def _is_our_key(self, text: str) -> bool:
        """Return whether a word is the key `on` of `lora`: `true` cannot be meant, as keys are strings."""
        if (
            text != "on"
            or not self.stack
            or len(self.items) % 2
            or self.stack[-1].kind is not Mapping
        ):
            return False
        outer = self.stack[-1].outer
        return bool(outer) and isinstance(outer[-1], Scalar) and outer[-1].text == "lora"

    def keys(self, items: list[Tree]) -> list[str]:
        """Return the keys around the item that comes next, the nearest first; [] if it is a key
        itself. `items` are the items of the innermost open collection."""
        found: list[str] = []
        for kind, _, _, outer, _ in reversed(self.stack):
            if kind is Mapping:
                if len(items) % 2 == 0:
                    break
                found.append(items[-1].text if isinstance(items[-1], Scalar) else "")
            items = outer
        return found

    def _mapping(self, items: list[Tree], span: Span) -> Mapping:
        """Return the mapping of keys and values in turn, without those whose key is faulty."""
        entries: dict[str, tuple[Scalar, Tree]] = {}
        lost: list[str] = []
        pairs = iter(with_tuples_joined(items) if self.has_tuple else items)
        for key, value in zip(pairs, pairs, strict=False):  # a syntax error may leave a lone key
            if isinstance(key, Scalar) and key.tagged:
                key = Scalar(key.text, key.span, key.text, key.plain)
            if (
                not isinstance(key, Scalar)
                or not isinstance(key.value, str)
                or (key.plain and key.value == MERGE)
            ):
                self._refuse_key(key, value)
                lost.append(_lost_name(key))
            elif key.value in entries:
                first, other = entries[key.value]
                self.faults.duplicate_key(key, first, (other, value))
                entries[key.value] = first, faulty(other.span)
                lost += (key.value, ANOTHER)
            else:
                entries[key.value] = key, value
        return Mapping(tuple(entries.values()), span, tuple(lost))

    def _refuse_key(self, key: Tree, value: Tree) -> None:
        """Add the fault of a key that is not a string, or is the merge key `<<` of YAML 1.1."""
        if not isinstance(key, Scalar):
            kind = "list" if isinstance(key, Sequence) else "mapping"
            self.faults.not_read(f"a key must be a string, not a {kind}", key.span, "", key, value)
        elif isinstance(key.value, str):
            if not _is_alias(value):
                self.faults.not_read("a spec cannot have merge keys", key.span, NO_ALIASES, value)
        elif key.value is FAULTY:
            self.faults.ambiguous_key(key, value)
        else:
            help = key_help(key.text)
            if key.text.isdecimal() and "each" in self.keys(self.items)[:1]:  # a port
                help = quote_it(key.text)
            message = f"a key must be a string, not {brief(key.text) or 'empty'}"
            self.faults.not_read(message, key.span, help, key, value)


def _is_alias(value: Tree) -> bool:
    """Return whether a value is an alias, or a list of them; they are reported already."""
    if isinstance(value, Sequence):
        return bool(value.items) and all(map(_is_alias, value.items))
    return isinstance(value, Scalar) and value.value is FAULTY and value.text.startswith("*")


def _lost_name(key: Tree) -> str:
    """Return the name that a refused key was meant to give, or ANOTHER if it is unknown."""
    if not isinstance(key, Scalar) or not key.text or key.value == MERGE or _is_alias(key):
        return ANOTHER
    return ANOTHER if TEMPLATE.match(key.text) else key.text
