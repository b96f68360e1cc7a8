"""Checks diagnostics as data: their order, which duplicates are dropped, how a report collects them."""

from __future__ import annotations

import pytest

from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.source import SourceFile, Span

FILE, OTHER = SourceFile("b.yaml", ""), SourceFile("a.yaml", "")


def fault(
    code: DiagnosticCode, line: int, column: int = 1, message: str = "", file: SourceFile = FILE
) -> Diagnostic:
    return Diagnostic(code, message, Span(file, line, column, line, column + 1))


def test_faults_are_in_the_order_of_the_text() -> None:
    cycle, port, layer = fault("cycle", 9), fault("unknown-port", 2, 8), fault("unknown-layer", 2)
    elsewhere = fault("bad-name", 50, file=OTHER)
    assert in_order([cycle, port, layer, elsewhere]) == [elsewhere, layer, port, cycle]


def test_of_several_faults_with_one_code_at_one_place_the_first_is_kept() -> None:
    first, again = fault("bad-option", 3, message="p"), fault("bad-option", 3, message="q")
    assert in_order([first, again, fault("bad-option", 4)]) == [first, fault("bad-option", 4)]


def test_every_missing_thing_is_reported() -> None:
    found = [fault("missing-key", 1, message=what) for what in ("inputs", "nodes", "inputs")]
    assert in_order(found) == found[:2]


def test_a_report_raises_all_its_faults_in_one_error() -> None:
    report = Report()
    report.raise_if_any()
    report.add(fault("cycle", 2), "a", "b")
    report.add(fault("bad-name", 1))
    assert report.mentioned == {"a", "b"}
    with pytest.raises(SpecError) as caught:
        report.raise_if_any()
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["bad-name", "cycle"]
    assert isinstance(caught.value, ValueError)
    assert "error[cycle]" in str(caught.value)
