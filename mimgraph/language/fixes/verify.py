"""Check a changed text: a fix is offered only if its diagnostic goes and no other fault comes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import process_time
from typing import NamedTuple, TypeAlias

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.codes import CODES, WARNINGS, DiagnosticCode
from mimgraph.infer.warnings import warnings
from mimgraph.language.parts.part_files import Place
from mimgraph.language.reader.spec import read
from mimgraph.source import SourceFile

MOST_SECONDS = 2.0  # of the processor, for all trials of one text

Fault: TypeAlias = tuple[DiagnosticCode, str]

# faults of a text that keep the rest of it from being read
READING: frozenset[DiagnosticCode] = frozenset(
    {"yaml-syntax", "yaml-subset", "ambiguous-scalar", "duplicate-key"}
)
# faults that a wrong name or a text that cannot be read may hide
UNCOVERED: frozenset[DiagnosticCode] = frozenset(CODES) - READING - {"unknown-key", "missing-key"}
UNCOVERED -= {code for code in CODES if code.startswith(("unknown-", "bad-"))}
UNCOVERED |= {"unknown-option", "unknown-port", "bad-option"}


class Effect(NamedTuple):
    """What a change does: whether the diagnostic is gone, and which errors are new."""

    is_gone: bool
    new: Counter[Fault]


def check(file: SourceFile, place: Place | None = None) -> list[Diagnostic]:
    """Return the errors of a spec, and the warnings of a legal one."""
    report = Report()
    try:
        graph = read(file, report, place=place)
        typed = None if graph is None else infer_within_limits(graph, report)
    except SpecError as error:
        return error.diagnostics
    if graph is not None and typed is not None and not report.diagnostics:
        return [*warnings(graph)]
    return report.diagnostics


@dataclass(eq=False)
class Trial:
    """The faults of a text before it is changed, and how many changes may still be tried.

    None is tried once the checks have taken `MOST_SECONDS`: a short text can be slow to check.
    """

    file: SourceFile
    place: Place | None
    left: int
    _before: Counter[Fault] = field(default_factory=Counter)
    _started: float = field(default_factory=process_time)

    def __post_init__(self) -> None:
        self._before = Counter(_faults(check(self.file, self.place)))

    def effect(self, diagnostic: Diagnostic, text: str) -> Effect | None:
        """Return what a changed text does to a diagnostic; None once too many were tried."""
        if self.left <= 0 or process_time() - self._started > MOST_SECONDS:
            return None
        self.left -= 1
        after = Counter(_faults(check(SourceFile(self.file.name, text), self.place)))
        fault = (diagnostic.code, diagnostic.message)
        new = after - self._before
        errors = Counter({one: n for one, n in new.items() if one[0] not in WARNINGS})
        return Effect(after[fault] < self._before[fault], errors)


def _faults(diagnostics: list[Diagnostic]) -> list[Fault]:
    return [(one.code, one.message) for one in diagnostics]
