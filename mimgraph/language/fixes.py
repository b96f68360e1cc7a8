"""Find the fixes of diagnostics: try the proposed changes, and keep those that fix them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any, TypeAlias

from mimgraph.cost.within_limits import infer_within_limits
from mimgraph.declare.tree import Mapping
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.diagnostics.codes import CODES, WARNINGS, DiagnosticCode
from mimgraph.infer.warnings import warnings
from mimgraph.language.files import ENDINGS, Place, first_place
from mimgraph.language.fix_candidates import candidates
from mimgraph.language.read_spec import read
from mimgraph.language.surroundings import surroundings_of
from mimgraph.language.text_edits import Fix, edited
from mimgraph.language.yaml_reader import tree_of
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

    def fixes(self, diagnostic: Diagnostic, text: str, may_uncover: bool) -> bool | None:
        """Return whether a changed text no longer has a diagnostic, and no new error but what it may
        uncover; None once too many were tried."""
        if self.left <= 0 or process_time() - self._started > MOST_SECONDS:
            return None
        self.left -= 1
        after = Counter(_faults(check(SourceFile(self.file.name, text), self.place)))
        fault = (diagnostic.code, diagnostic.message)
        new = {code for code, _ in after - self._before if code not in WARNINGS}
        is_gone = after[fault] < self._before[fault]
        return is_gone and (not new or (may_uncover and new <= UNCOVERED))


def _faults(diagnostics: list[Diagnostic]) -> list[Fault]:
    return [(one.code, one.message) for one in diagnostics]


# Find the fixes of diagnostics: try the proposed changes, and keep those that work.


MOST_FIXES = 3  # of one diagnostic
MOST_TEXT = 250_000  # characters of a text that is fixed
MOST_MENDED = 100  # diagnostics of one text, the first
MOST_TRIED = 400  # changes of one text that are checked; fewer of a long text
MOST_TRIED_EACH = 24  # changes for one diagnostic
MOST_CHARACTERS = 1_500_000  # of all texts that are checked, with
CHARACTERS = 1_000  # for each of their faults, as a name that is similar is searched for
STDIN = "<stdin>"  # the name of the text that `-` reads


def fixes(
    file: SourceFile, diagnostics: Iterable[Diagnostic], place: Place | None = None
) -> list[list[Fix]]:
    """Return the fixes of each diagnostic of a text, the best first; none of a fault in a part.

    A fix is one that a check of the changed text confirms: its diagnostic is gone, and no other error
    has come. Only the name that was probably meant for a wrong one, and what makes a text YAML, may uncover
    faults that were hidden.
    """
    found = [*diagnostics]
    if not found or len(file.text) > MOST_TEXT:
        return [[] for _ in found]
    read = tree_of(file)
    tree = read if isinstance(read, Mapping) else Mapping((), file.start)  # not to be read
    tried = min(MOST_TRIED, MOST_CHARACTERS // (len(file.text) + CHARACTERS * len(found)))
    trial = Trial(file, place, tried)
    return [
        [*_confirmed(trial, one, candidates(one, surroundings_of(tree, one.span)))]
        if one.span.file is file and at < MOST_MENDED
        else []
        for at, one in enumerate(found)
    ]


def _confirmed(trial: Trial, diagnostic: Diagnostic, found: Iterator[Fix]) -> Iterator[Fix]:
    """Yield the fixes that a check confirms."""
    texts: set[str] = set()
    titles: set[str] = set()  # another value would be no other fix
    for tried, fix in enumerate(found):
        if len(titles) == MOST_FIXES or tried == MOST_TRIED_EACH:
            return
        try:
            text = edited(trial.file, fix.edits)
        except ValueError:
            continue  # two of its edits overlap
        if text in texts or text == trial.file.text or fix.title in titles:
            continue
        texts.add(text)
        is_fixed = trial.fixes(diagnostic, text, fix.is_meant or diagnostic.code in READING)
        if is_fixed is None:
            return
        if is_fixed:
            titles.add(fix.title)
            yield fix


def fixed(file: SourceFile, diagnostics: Sequence[Diagnostic], place: Place | None = None) -> str:
    """Return a text with the safe fix of each diagnostic, as far as they do not overlap.

    Fixes that insert or remove something are not safe: nobody wants that on saving.
    """
    kept: list[Fix] = []
    for proposed in fixes(file, diagnostics, place):
        for fix in proposed[:1]:
            if not fix.is_safe:
                continue
            try:
                edited(file, [edit for one in (*kept, fix) for edit in one.edits])
            except ValueError:
                continue
            kept.append(fix)
    return edited(file, dict.fromkeys(edit for fix in kept for edit in fix.edits))


def record(fix: Fix) -> dict[str, Any]:
    """Return `{title, edits}`; an edit is `{line, column, end_line, end_column, text}`, counted from 1, and
    its end is exclusive."""
    edits = [
        {
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
            "text": text,
        }
        for span, text in fix.edits
    ]
    return {"title": fix.title, "edits": edits}


def fix_records(
    diagnostics: Sequence[Diagnostic], paths: Collection[str]
) -> list[list[dict[str, Any]]]:
    """Return the fixes of each diagnostic as data; none for a fault in a part or in a file of another
    format, as the specs are at these paths."""
    found: list[list[dict[str, Any]]] = [[] for _ in diagnostics]
    for file in {one.span.file: None for one in diagnostics}:
        is_input = file.name == STDIN and "-" in paths
        if not is_input and not (file.name.endswith(ENDINGS) and file.name in paths):
            continue
        place = None if is_input else first_place(file.name)
        here = [n for n, one in enumerate(diagnostics) if one.span.file is file]
        proposed = fixes(file, [diagnostics[n] for n in here], place)
        for n, some in zip(here, proposed, strict=True):
            found[n] = [record(fix) for fix in some]
    return found
