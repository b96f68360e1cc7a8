"""Render diagnostics for continuous integration: SARIF 2.1.0 and annotations of GitHub Actions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.render import visible
from mimgraph.source import Span


def render_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Return the diagnostics as one SARIF run, with a rule for each code among them."""
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in diagnostics))
    rules = [{"id": code, "shortDescription": {"text": CODES[code]}} for code in codes]
    run = {
        "tool": {"driver": {"name": "mimgraph", "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(found, codes.index(found.code)) for found in diagnostics],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    """Return a diagnostic as a result of SARIF."""
    found: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _sentences(diagnostic)},
        "locations": [_location(diagnostic.span)],
    }
    if diagnostic.node:
        name = {"fullyQualifiedName": diagnostic.node}
        found["locations"][0]["logicalLocations"] = [name]
    if diagnostic.labels:
        found["relatedLocations"] = [
            {**_location(label.span), "message": {"text": label.text}}
            for label in diagnostic.labels
        ]
    return found


def _sentences(diagnostic: Diagnostic) -> str:
    """Return the message with its note, and the help on a second line."""
    note = f"{diagnostic.message}: {diagnostic.note}" if diagnostic.note else diagnostic.message
    return f"{note}\nhelp: {diagnostic.help}" if diagnostic.help else note


def _location(span: Span) -> dict[str, Any]:
    """Return a span as a location of SARIF."""
    path = Path(span.file.name)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="replace")
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def render_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Return one workflow command a line, which GitHub Actions shows beside the line at fault."""
    return "\n".join(map(_command, diagnostics))


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = f"line={span.line},endLine={span.end_line},col={span.column}"
    if span.line == span.end_line:
        place += f",endColumn={span.end_column}"
    listed = f"file={_property(span.file.name)},{place},title={diagnostic.code}"
    text = "%0A".join(map(_data, _sentences(diagnostic).split("\n")))
    return f"::{diagnostic.severity} {listed}::{text}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
