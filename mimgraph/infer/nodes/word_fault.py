"""Report a faulty value of a word of a node."""

from __future__ import annotations

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.infer.evaluation import Evaluation, origin_of, placed
from mimgraph.ir.declared.values import Option


def word_fault(
    at: Evaluation, code: DiagnosticCode, message: str, option: Option, help: str = ""
) -> None:
    """Report a fault where the value stands, or where the use of a block gives it."""
    span, labels = placed(option.span, origin_of(option.value, at.origins))
    at.report.add(Diagnostic(code, message, span, labels=labels, help=help, node=at.node))
