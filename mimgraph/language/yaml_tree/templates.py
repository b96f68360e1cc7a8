"""Recognise parts of a template that was not filled in: `{{ x }}`, `{% if x %}`, `${x}`."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.declared_values import FAULTY
from mimgraph.language.yaml_tree.scalars import takes_text
from mimgraph.language.yaml_tree.tree import Scalar, Tree, brief
from mimgraph.source import SourceFile, Span

TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|<%.*?%>|\$\{[^{}]*\}|%\(\w+\)[a-z]|@\w+@", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)  # a variable of a template
CHOSEN = frozenset(("layer", "merge", "block"))  # keys whose name a param may give


def is_template(file: SourceFile, items: list[Tree], line: int, column: int) -> bool:
    """Return whether a mapping with these items, which begins at `line` and `column`, is `{{ x }}`:
    its first key is a mapping right behind its bracket."""
    first = items[0] if items else None
    if first is None or (isinstance(first, Scalar) and first.value is not FAULTY):
        return False
    beside = first.span.line == line and first.span.column == column + 1
    return beside and file.line(line)[column - 1 : column + 1] == "{{"


def template_text(span: Span) -> str:
    """Return the text of a template, up to the end of its first line."""
    line = span.file.line(span.line)
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    return line[span.column - 1 : end]


def not_filled_in(text: str, span: Span, keys: Sequence[str], params: Container[str]) -> Diagnostic:
    """Return the diagnostic of a template that is the value of these keys, the nearest first;
    `params` are declared in the spec."""
    code: DiagnosticCode = "yaml-subset" if text.startswith("{{") else "yaml-syntax"
    name = NAME.search(text)
    param = name[0].rpartition(".")[2] if name else "x"
    help = f"fill in the template first, or declare params: {{{param}: ...}} and write ${param}"
    if text.startswith(("{%", "<%")):
        help = "fill in the template first: a spec has no statements"
    elif not keys or (takes_text(keys) and keys[0] not in CHOSEN):
        help = "fill in the template first: a param cannot be used here"
    elif param in params:
        help = f"write ${param}"
    message = f"{brief(text)} is part of a template that was not filled in"
    return Diagnostic(code, message, span, help=help)
