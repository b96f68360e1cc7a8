"""Specs with marks in the text: `⟦code⟧` stands right before the place of each diagnostic."""

from __future__ import annotations

import re

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError, in_order
from mimgraph.infer import warnings as advice
from mimgraph.infer.requirements import check_packages, check_torch
from mimgraph.language.read_spec import read
from mimgraph.source import SourceFile

_MARK = re.compile(r"⟦([a-z-]+)⟧")


def split(marked: str) -> tuple[str, list[str]]:
    """Return the spec without its marks, and `code line:column` of each mark in order."""
    expected = []
    while (match := _MARK.search(marked)) is not None:
        before = marked[: match.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        expected.append(f"{match[1]} {line}:{column}")
        marked = before + marked[match.end() :]
    return marked, expected


TORCH = "2.10"  # the lowest supported version, so that examples can use options that it lacks


def faults(text: str, *packages: str) -> list[Diagnostic]:
    """Return everything that is wrong with a spec, as `mimgraph check --torch 2.10` does, and
    every layer that needs another package than torch and `packages`."""
    report = Report()
    graph = read(SourceFile("spec.yaml", text), report)
    if graph is not None:
        try:
            typed = infer_within_limits(graph, report)
            if typed is not None:
                check_torch(typed, TORCH)
                check_packages(typed, lambda package: package in ("torch", *packages))
        except SpecError as error:
            return error.diagnostics
    return in_order(report.diagnostics)


def warnings(text: str) -> list[Diagnostic]:
    """Return the warnings of a legal spec."""
    report = Report()
    graph = read(SourceFile("spec.yaml", text), report)
    return list(advice.warnings(graph)) if graph is not None else []


def locations(text: str, *packages: str) -> list[str]:
    """Return `code line:column` of every diagnostic of a spec that may use layers of these packages."""
    return [f"{d.code} {d.span.line}:{d.span.column}" for d in faults(text, *packages)]
