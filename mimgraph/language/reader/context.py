"""The context of the reader's functions: the report, and the names that are known or lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.language.yaml_tree.tree import Mapping, Scalar, Tree, described, is_faulty, texts
from mimgraph.source import Span

if TYPE_CHECKING:
    from mimgraph.language.parts.part_files import Place


@dataclass(slots=True, eq=False)
class Context:
    """The report of one spec, and the names that are known or lost in it.

    `lost` are the names of inputs and nodes in the current scope that could not be read, `misnamed`
    the params whose names are not allowed, `lost_blocks` the blocks that could not be read.
    """

    report: Report
    origin: Span  # the start of the file
    place: Place | None = None  # where its parts are found; None for a text that is no file
    blocks: frozenset[str] = frozenset()
    lost: set[str] = field(default_factory=set)
    misnamed: set[str] = field(default_factory=set)
    lost_blocks: set[str] = field(default_factory=set)

    def in_scope(self, lost: Iterable[str]) -> Context:
        """Return the context for one scope: the graph itself or a block."""
        return replace(self, lost=set(lost))

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        span: Span,
        *,
        help: str = "",
        node: str = "",
        tree: Tree | None = None,
    ) -> None:
        """Report a fault; it mentions the names in `tree`."""
        mentioned = texts(tree) if tree is not None else ()
        self.report.add(Diagnostic(code, message, span, help=help, node=node), *mentioned)

    def wrong_type(self, what: str, wants: str, tree: Tree, node: str = "", help: str = "") -> None:
        """Report that the value of `what` is not `wants`, unless the value has a reported fault."""
        if not (is_faulty(tree) or (isinstance(tree, Mapping) and tree.lost)):
            message = f"{what} must be {wants}, not {described(tree)}"
            self.fault("wrong-type", message, tree.span, help=help, node=node, tree=tree)

    def unknown_key(
        self, what: str, key: Scalar, known: tuple[str, ...], tree: Tree | None, node: str = ""
    ) -> None:
        """Report a key that the part `what` does not have."""
        help = suggestion(key.text, known) or f"its keys: {', '.join(known)}"
        message = f"{what} has no key {key.text!r}"
        self.fault("unknown-key", message, key.span, help=help, node=node, tree=tree)
