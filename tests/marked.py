"""Specs whose faults are marked in the text: `⟦code⟧` stands right before each place at fault."""

from __future__ import annotations

import contextlib
import re

from mimgraph.analysis.inference import infer
from mimgraph.analysis.unused import unused_params
from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.source import SourceFile
from mimgraph.spec.read import read

_MARK = re.compile(r"⟦([a-z-]+)⟧")


def split(marked: str) -> tuple[str, list[str]]:
    """The spec without its marks, and `code line:column` of each mark in order."""
    expected = []
    while (match := _MARK.search(marked)) is not None:
        before = marked[: match.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        expected.append(f"{match[1]} {line}:{column}")
        marked = before + marked[match.end() :]
    return marked, expected


def faults(text: str) -> list[Diagnostic]:
    """Everything that is wrong with a spec."""
    report = Report()
    graph = read(SourceFile("spec.yaml", text), report)
    if graph is not None:
        with contextlib.suppress(SpecError):
            infer(graph, report)
    return in_order(report.diagnostics)


def warnings(text: str) -> list[Diagnostic]:
    """What is told of a spec that is legal."""
    report = Report()
    graph = read(SourceFile("spec.yaml", text), report)
    return in_order(unused_params(graph)) if graph is not None else []


def told(text: str) -> list[str]:
    """`code line:column` of every fault."""
    return [f"{d.code} {d.span.line}:{d.span.column}" for d in faults(text)]
