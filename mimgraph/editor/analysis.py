"""Analyse one version of a spec's text: its tree, graph, types and diagnostics."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.editor.document.entry_trees import EntryTrees
from mimgraph.infer.advice.warnings import warnings
from mimgraph.infer.graph import infer
from mimgraph.infer.known_part import KnownPart, known_part
from mimgraph.infer.scope import State
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.language.parts.part_files import Place
from mimgraph.language.places import PLACES
from mimgraph.language.reader.spec import read_tree
from mimgraph.language.yaml_tree.tree import Mapping, Tree
from mimgraph.source import SourceFile
from mimgraph.support.gc_pause import uncollected


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tree, graph, types and diagnostics of one version of a spec.

    `diagnostics` are those of `mimgraph check`, errors and warnings, by position; they may lie in parts.
    Where the text cannot be read as YAML, it `is_broken`, and `tree` and `declared` are of what can be
    read of it. `declared` is None if the tree is no mapping, `typed` unless the spec is legal; sections
    with unknown names are left out of it.
    """

    file: SourceFile
    tree: Tree | None
    declared: Graph | None
    typed: TypedGraph | None
    diagnostics: tuple[Diagnostic, ...]
    is_broken: bool
    _state: State

    @cached_property
    def known(self) -> KnownPart | None:
        """The part of a wrong graph whose types are known; None if the spec is legal or not read."""
        if self.typed is not None or self.declared is None:
            return None
        return known_part(self.declared, self._state)

    @cached_property
    def known_types(self) -> TypedGraph | None:
        """The whole typed graph of a legal spec, of a wrong one the part that is known."""
        return self.known.typed if self.known else self.typed


@uncollected()
def analyse(
    file: SourceFile, place: Place | None = None, before: EntryTrees | None = None
) -> Analysis:
    """Analyse a spec as far as it can be read; `place` says where its parts are found.

    `before` has what is known of the last version of the text.
    """
    report = Report()
    tree = declared = typed = None
    state = State({}, report)
    is_broken = False
    try:
        tree, is_whole = (before or EntryTrees(file)).read(report)
        is_broken = not is_whole
        if not is_broken:
            declared = read_tree(tree, file, report, place=place)
            typed = None if declared is None else infer(declared, report, state)
    except SpecError:  # a limit was reached; the report holds what was found before
        typed = None
    found = report.diagnostics
    if declared is not None and typed is not None and not found:
        found = [*warnings(declared)]
    known = None if tree is None else _with_known_sections(tree)
    if known is not None and (is_broken or known is not tree):
        # what follows from the repair is no fault of the spec
        state = State({}, Report())
        with suppress(SpecError):
            declared = read_tree(known, file, state.report, place=place)
            if declared is not None:
                infer(declared, state.report, state)
    state.report = Report()  # for what is looked up in the known part
    legal = None if report.diagnostics else typed
    return Analysis(file, tree, declared, legal, tuple(in_order(found)), is_broken, state)


def _with_known_sections(tree: Tree) -> Tree:
    """Return a spec without the sections that it cannot have: a misspelt one may be any, so nothing
    would be known."""
    if not isinstance(tree, Mapping):
        return tree
    known = tuple([entry for entry in tree.entries if entry[0].text in PLACES["a spec"]])
    if len(known) == len(tree.entries):
        return tree
    return Mapping(known, tree.span)
