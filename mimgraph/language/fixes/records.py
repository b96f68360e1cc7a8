"""Give the fixes of diagnostics as plain data, for `mimgraph check --format json` and other programs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.language.fixes.find import fixes
from mimgraph.language.foreign_files import ENDINGS
from mimgraph.language.parts.part_files import first_place
from mimgraph.language.text_edits import Fix

STDIN = "<stdin>"  # the name of the text that `-` reads


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
