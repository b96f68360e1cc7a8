"""Keep an open Python file, with what its last run found."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangePartial

from mimgraph.editor.python_files.findings import Findings, Place
from mimgraph.editor.server.documents import path_of
from mimgraph.editor.server.positions import changed_span
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.source import SourceFile

if TYPE_CHECKING:
    from mimgraph.editor.python_files.runner import Run

IMPORTS = re.compile(r"^[ \t]*(?:import|from)[ \t][^#\n]*\bmimgraph\b", re.MULTILINE)


@dataclass(eq=False)
class PythonFile:
    """An open file; `changes` are all changes since it was opened, which results of a run follow."""

    uri: str
    version: int
    file: SourceFile
    findings: Findings | None = None
    run: Run | None = None  # that has not ended yet
    changes: list[tuple[Place, Place, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of the file, or its name if it has none yet."""
        return path_of(self.uri) or posixpath.basename(self.uri)

    @property
    def import_line(self) -> int | None:
        """The line that imports mimgraph; None if there is none."""
        found = IMPORTS.search(self.file.text)
        return self.file.place(found.start())[0] if found else None

    def change(self, version: int, changes: Sequence[TextDocumentContentChangeEvent]) -> None:
        """Take the next version of the text; a `ValueError` says that a change does not fit it."""
        for change in changes:
            text = change.text
            start, end = (1, 1), (len(self.file.lines) + 1, 1)
            if isinstance(change, TextDocumentContentChangePartial):
                span = changed_span(self.file, change.range)
                start, end = span[1:3], span[3:5]
                text = edited(self.file, [TextEdit(span, text)])
            self.changes.append((start, end, change.text))
            self.file = SourceFile(self.file.name, text)
            if self.findings is not None:
                self.findings = self.findings.moved(start, end, change.text)
        self.version = version

    def stop(self) -> None:
        """End the run, if there is one."""
        if self.run is not None:
            self.run.end()
            self.run = None

    def found(self, findings: Findings, since: int) -> None:
        """Take the findings of a run, which began after `since` changes."""
        for start, end, text in self.changes[since:]:
            findings = findings.moved(start, end, text)
        self.findings = findings


def is_python(uri: str, language: str) -> bool:
    """Return whether a document is Python code, by its language or its name."""
    return language == "python" or uri.endswith((".py", ".pyi"))
