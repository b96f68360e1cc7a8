"""Analyse one version of a spec's text: its tree, graph, types and diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.editor.document.entry_trees import TreeRead
from mimgraph.editor.document.memory import Legal, Memory
from mimgraph.infer.advice.warnings import warnings
from mimgraph.infer.known_part import KnownPart, known_part
from mimgraph.infer.scope import State
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.language.parts.part_files import Place
from mimgraph.language.places import PLACES
from mimgraph.language.reader.spec import read_tree
from mimgraph.language.spec_file import Params
from mimgraph.language.yaml_tree.tree import Mapping, Tree
from mimgraph.source import SourceFile
from mimgraph.support.gc_pause import uncollected


class Graphs(NamedTuple):
    """The tree of a spec, and the graphs that follow from it; `state` is what the inference knows."""

    tree: Tree | None
    declared: Graph | None
    typed: TypedGraph | None
    state: State


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tree, graph, types and diagnostics of one version of a spec.

    `diagnostics` are those of `mimgraph check`, errors and warnings, by position; they may lie in parts.
    Where the text cannot be read as YAML, it `is_broken`, and `tree` and `declared` are of what can be
    read of it.
    """

    file: SourceFile
    diagnostics: tuple[Diagnostic, ...]
    is_broken: bool
    _read: Callable[[], Graphs]  # is called once they are needed

    @cached_property
    def graphs(self) -> Graphs:
        """The tree and the graphs."""
        return self._read()

    @property
    def tree(self) -> Tree | None:
        """The tree of the text."""
        return self.graphs.tree

    @property
    def declared(self) -> Graph | None:
        """The declared graph; None if the tree is no mapping. Sections with unknown names are left out."""
        return self.graphs.declared

    @property
    def typed(self) -> TypedGraph | None:
        """The typed graph; None unless the spec is legal."""
        return self.graphs.typed

    @cached_property
    def known(self) -> KnownPart | None:
        """The part of a wrong graph whose types are known; None if the spec is legal or not read."""
        if self.typed is not None or self.declared is None:
            return None
        return known_part(self.declared, self.graphs.state)

    @cached_property
    def known_types(self) -> TypedGraph | None:
        """The whole typed graph of a legal spec, of a wrong one the part that is known."""
        return self.known.typed if self.known else self.typed


@uncollected()
def analyse(
    file: SourceFile,
    place: Place | None = None,
    before: Memory | None = None,
    params: Params | None = None,
) -> Analysis:
    """Analyse a spec as far as it can be read; `place` says where its parts are found.

    `before` has what can be used of the last version of the text; `params` replace those of the spec.
    """
    memory = before or Memory(file)
    report = Report()
    declared = typed = None
    state = State({}, report)
    read = memory.trees.read(report)
    with suppress(SpecError):  # a limit was reached; the report holds what was found before
        if read.is_whole:
            declared, typed = _inferred(read, read.tree, state, place, memory, params)
    found = report.diagnostics
    if declared is not None and typed is not None and not found:
        found = [*warnings(declared)]
    known = _with_known_sections(read.tree)
    if not read.is_whole or known is not read.tree:
        # what follows from the repair is no fault of the spec
        state = State({}, Report())
        with suppress(SpecError):
            declared, _ = _inferred(read, known, state, place, memory, params)
    state.report = Report()  # for what is looked up in the known part
    legal = None if report.diagnostics else typed
    diagnostics = tuple(in_order(found))
    memory.legal = None
    context = memory.types.context
    if legal is not None and declared is not None and context is not None and params is None:
        needs, blocks = memory.types.needs, frozenset(declared.blocks)
        memory.legal = Legal(
            *(file.lines, read, declared, legal, context, needs, blocks, diagnostics)
        )
    graphs = Graphs(read.tree, declared, legal, state)
    return Analysis(file, diagnostics, not read.is_whole, lambda: graphs)


@uncollected()
def analyse_next(file: SourceFile, place: Place | None, memory: Memory) -> Analysis:
    """Analyse the next version of a spec that is being edited, as `analyse` does.

    Where no more than nodes changed and all is legal, the rest is not looked at. If lines have moved,
    the graphs are made anew once they are needed, as their spans have moved, too.
    """
    version = memory.next()
    if version is None:
        return analyse(file, place, memory)
    if not version.is_exact:
        return Analysis(file, (), False, lambda: analyse(file, place, memory).graphs)
    inferred = version.inferred
    state = State(inferred.context.state.blocks, Report())
    graphs = Graphs(version.tree, inferred.declared, inferred.typed, state)
    return Analysis(file, version.warnings, False, lambda: graphs)


def _inferred(
    read: TreeRead,
    tree: Tree,
    state: State,
    place: Place | None,
    memory: Memory,
    params: Params | None,
) -> tuple[Graph | None, TypedGraph | None]:
    """Return the graph that a tree declares, and its types."""
    declared = read_tree(tree, memory.trees.file, state.report, params, place)
    if declared is None:
        return None, None
    state.kept = memory.begin_types(read)
    try:
        return declared, infer_within_limits(declared, state.report, state)
    except SpecError:  # a limit was reached
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
