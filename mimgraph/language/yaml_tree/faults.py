"""Collect the faults of a text after which reading goes on, and report them at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.language.yaml_tree.tree import Scalar, Tree, brief, texts
from mimgraph.source import Span

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
