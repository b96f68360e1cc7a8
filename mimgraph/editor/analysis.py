"""Analyse one version of a spec's text: its tree, graph, types and diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.infer.advice.warnings import warnings
from mimgraph.infer.graph import infer
from mimgraph.infer.known_part import KnownPart, known_part
from mimgraph.ir.declared.graph import Graph
from mimgraph.ir.typed.graph import TypedGraph
from mimgraph.language.parts.part_files import Place
from mimgraph.language.reader.spec import read_tree
from mimgraph.language.yaml_tree.compose import compose
from mimgraph.language.yaml_tree.tree import Tree
from mimgraph.source import SourceFile
from mimgraph.support.gc_pause import uncollected


@dataclass(frozen=True, eq=False)
class Analysis:
    """The tree, graph, types and diagnostics of one version of a spec.

    `tree` and `declared` are None where the text cannot be read at all, `typed` unless the spec is legal.
    `diagnostics` are those of `mimgraph check`, errors and warnings, by position; they may lie in `parts`.
    """

    file: SourceFile
    tree: Tree | None
    declared: Graph | None
    typed: TypedGraph | None
    diagnostics: tuple[Diagnostic, ...]

    @cached_property
    def known(self) -> KnownPart | None:
        """The part of a wrong graph whose types are known; None if the spec is legal or not read."""
        return None if self.typed or not self.declared else known_part(self.declared)

    @cached_property
    def known_types(self) -> TypedGraph | None:
        """The whole typed graph of a legal spec, of a wrong one the part that is known."""
        return self.known.typed if self.known else self.typed


@uncollected()
def analyse(file: SourceFile, place: Place | None = None) -> Analysis:
    """Analyse a spec as far as it can be read; `place` says where its parts are found."""
    report = Report()
    tree = declared = typed = None
    try:
        tree = compose(file, report.add)
        declared = None if tree is None else read_tree(tree, file, report, place=place)
        typed = None if declared is None else infer(declared, report)
    except SpecError:  # a limit was reached; the report holds what was found before
        typed = None
    found = report.diagnostics
    if declared is not None and typed is not None and not found:
        found = [*warnings(declared)]
    return Analysis(
        file, tree, declared, None if report.diagnostics else typed, tuple(in_order(found))
    )
