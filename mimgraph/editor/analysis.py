"""Analyse one version of a spec's text: its tree, graph, types and diagnostics."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.declare.tree import Mapping, Tree
from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.editor.document.repair import read_text
from mimgraph.infer.graph import KnownPart, known_part
from mimgraph.infer.state import State
from mimgraph.infer.warnings import warnings
from mimgraph.ir.declared_graph import Graph
from mimgraph.ir.grammar import PLACES
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.language.files import Place
from mimgraph.language.read_spec import read_tree
from mimgraph.language.spec_file import Params
from mimgraph.source import SourceFile
from mimgraph.support.progress import uncollected


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tree, graph, types and diagnostics of one version of a spec.

    `diagnostics` are those of `mimgraph check`, errors and warnings, by position; they may lie in parts.
    Where the text is no YAML, `tree` and `declared` are of what can be read of it. `declared` is None if
    the tree is no mapping; sections with unknown names are left out. `typed` is None unless the spec is
    legal. `state` is what the inference knows.
    """

    file: SourceFile
    diagnostics: tuple[Diagnostic, ...]
    tree: Tree
    declared: Graph | None
    typed: TypedGraph | None
    state: State

    @cached_property
    def known(self) -> KnownPart | None:
        """The part of a wrong graph whose types are known; None if the spec is legal or not read."""
        if self.typed is not None or self.declared is None:
            return None
        return known_part(self.declared, self.state)

    @property
    def known_types(self) -> TypedGraph | None:
        """The whole typed graph of a legal spec, of a wrong one the part that is known."""
        return self.known.typed if self.known else self.typed


@uncollected()
def analyse(file: SourceFile, place: Place | None = None, params: Params | None = None) -> Analysis:
    """Analyse a spec as far as it can be read.

    `place` says where its parts are found; `params` replace those of the spec.
    """
    report = Report()
    tree, is_whole = read_text(file, report.add)
    state, declared, typed = State({}, report), None, None
    if is_whole:
        declared, typed = _inferred(file, tree, state, place, params)
    found = report.diagnostics
    if declared is not None and typed is not None and not found:
        found = [*warnings(declared)]
    known = _with_known_sections(tree)
    if not is_whole or known is not tree:
        # what follows from the repair is no fault of the spec
        state = State({}, Report())
        declared, _ = _inferred(file, known, state, place, params)
    state.report = Report()  # for what is looked up in the known part
    legal = None if report.diagnostics else typed
    return Analysis(file, tuple(in_order(found)), tree, declared, legal, state)


def _inferred(
    file: SourceFile, tree: Tree, state: State, place: Place | None, params: Params | None
) -> tuple[Graph | None, TypedGraph | None]:
    """Return the graph that a tree declares, and its types; where a limit is reached, the report of the
    state holds what was found before."""
    declared = None
    with suppress(SpecError):
        declared = read_tree(tree, file, state.report, params, place)
        if declared is not None:
            return declared, infer_within_limits(declared, state.report, state)
    return declared, None


def _with_known_sections(tree: Tree) -> Tree:
    """Return a spec without the sections that it cannot have: a misspelt one may be any, so nothing
    would be known."""
    if not isinstance(tree, Mapping):
        return tree
    known = tuple([entry for entry in tree.entries if entry[0].text in PLACES["a spec"]])
    if len(known) == len(tree.entries):
        return tree
    return Mapping(known, tree.span)
