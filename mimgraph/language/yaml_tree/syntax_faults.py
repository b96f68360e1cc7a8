"""Turn the errors of a YAML parser into diagnostics that say how to correct the text."""

from __future__ import annotations

import yaml

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.language.yaml_tree.builder import TreeBuilder
from mimgraph.language.yaml_tree.limits import too_deep
from mimgraph.language.yaml_tree.spans import fault_point
from mimgraph.language.yaml_tree.templates import TEMPLATE, not_filled_in
from mimgraph.language.yaml_tree.tree import Scalar
from mimgraph.source import Span

PLAIN_TEXT_ENDS = "[{\"'"  # the characters that end a text without quotes inside [ ] and { }


def syntax_fault(error: yaml.MarkedYAMLError, builder: TreeBuilder) -> Diagnostic:
    """Return the diagnostic of a syntax error; the builder has the tree before the error."""
    mark, context = error.problem_mark, error.context_mark
    assert mark is not None and error.problem is not None
    line, column = mark.line + 1, mark.column
    text = builder.file.line(line)
    for template in TEMPLATE.finditer(text):
        if template.start() <= column <= template.end():
            span = Span(builder.file, line, template.start() + 1, line, template.end() + 1)
            return _template_fault(template[0], span, builder)
    span = fault_point(builder.file, mark)
    if (
        error.problem == "exceeded maximum nesting depth"
    ):  # libyaml's own limit, when it looks ahead
        return too_deep(span)
    labels = []
    if context and error.context and (context.line, context.column) != (mark.line, column):
        labels.append(Label(fault_point(builder.file, context), error.context))
    message, help = _message_and_help(error.problem, text[column : column + 1])
    return Diagnostic("yaml-syntax", message, span, labels=tuple(labels), help=help)


def _template_fault(text: str, span: Span, builder: TreeBuilder) -> Diagnostic:
    items = builder.items
    if items and isinstance(items[-1], Scalar) and items[-1].text == "$":
        items = items[:-1]  # the first character of `${hidden}`
    return not_filled_in(text, span, builder.keys(items), builder.params)


def _message_and_help(problem: str, character: str) -> tuple[str, str]:
    """Return the message and the help for a parser's problem at a character."""
    problem = problem.replace("did not find expected", "expected")
    if "cannot start any token" in problem:
        if character == "\t":
            return "a tab cannot be used for indentation", "indent with spaces"
        return f"a value cannot begin with {character}", "quote it"
    if "',' or" in problem and character and character in PLAIN_TEXT_ENDS:
        return (
            problem,
            f"quote a string that has {character} in it, or put a comma before the {character}",
        )
    if "expected alphabetic or numeric character" in problem:
        return problem, "quote a string that begins with & or *"
    if problem.startswith("mapping values are not allowed"):
        return (
            "a colon is not allowed here",
            "quote a string that has a colon and a space in it, or correct the indentation",
        )
    if "<document start>" in problem:
        return "unexpected text after the end of the document", ""
    return problem[:1].lower() + problem[1:], ""
