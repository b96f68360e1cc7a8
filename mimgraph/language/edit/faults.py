"""Make the errors of edits and renames that cannot be made."""

from __future__ import annotations

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.source import Span


def fault(
    message: str, span: Span, help: str = "", code: DiagnosticCode = "unknown-source"
) -> SpecError:
    """Return the error of an edit that cannot be made, at a place in the spec."""
    return SpecError([Diagnostic(code, message, span, help=help)])
