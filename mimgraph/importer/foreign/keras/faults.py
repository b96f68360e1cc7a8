"""Refuse what a Keras file says, with a diagnostic at the layer in its JSON."""

from __future__ import annotations

import json
from typing import NoReturn

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.source import SourceFile, Span


class Config:
    """The JSON text of a model, in which faults are shown."""

    def __init__(self, name: str, text: str) -> None:
        self.file = SourceFile(name, text)

    def refuse(
        self, code: DiagnosticCode, message: str, layer: str | None = None, help: str = ""
    ) -> NoReturn:
        """Raise a `SpecError` at the first place that names the layer, else at the start of the file."""
        raise SpecError([Diagnostic(code, message, self._span(layer), help=help)])

    def refuse_at(self, line: int, column: int, message: str) -> NoReturn:
        """Raise a `SpecError` for text that is not JSON."""
        span = Span(self.file, line, column, line, column + 1)
        help = "give the file that model.save(path) wrote, or the text of model.to_json()"
        raise SpecError([Diagnostic("wrong-type", message, span, help=help)])

    def _span(self, layer: str | None) -> Span:
        text, quoted = self.file.text, json.dumps(layer)
        for space in (" ", ""):
            start = text.find(f'"name":{space}{quoted}') if layer else -1
            if start >= 0:
                start += len('"name":') + len(space)
                line = text.count("\n", 0, start) + 1
                column = start - text.rfind("\n", 0, start)
                return Span(self.file, line, column, line, column + len(quoted))
        return self.file.start
