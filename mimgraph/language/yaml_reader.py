"""Read YAML or JSON: text to events to the tree of a spec."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from mimgraph.declare.tree import (
    BLANKS,
    HIDE_BREAKS,
    SHOW_BREAKS,
    Mapping,
    Scalar,
    Sequence,
    Tree,
    Unreadable,
    check_printable,
    check_size,
    faulty,
    resolve,
    too_deep,
)
from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.ir.declared_values import FAULTY
from mimgraph.language.tree_builder import (
    NO_ALIASES,
    TEMPLATE,
    AddDiagnostic,
    TreeBuilder,
    not_filled_in,
)
from mimgraph.source import SourceFile, Span

PARSER: Callable[[str], Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

PROPERTIES = re.compile(r"{0}\s*{0}?".replace("{0}", r"(!<[^>\s]*>|[&!][^\s\[\]{},]*)"))
QUESTION_MARK = re.compile(r"\?[^\s?]")
YAML_TAGS = "tag:yaml.org,2002:"
RESOLVED_TAGS = ("int", "float", "bool", "null")  # a scalar means the same without such a tag
NODES = (ScalarEvent, MappingStartEvent, SequenceStartEvent, AliasEvent)
BLOCK_STYLES = ("|", ">")
PLAIN_TEXT_ENDS = "[{\"'"  # the characters that end a text without quotes inside [ ] and { }


def read_yaml(text: str, builder: TreeBuilder) -> None:
    """Read a text of one document."""
    check_printable(builder.file, text)
    hidden = not text.isascii()
    safe = text.translate(HIDE_BREAKS) if hidden else text
    if safe.endswith((" ", "\t")):
        safe += "\n"  # else libyaml forgets a last line that is blank
    has_question_mark = bool(QUESTION_MARK.search(text))
    for event in _events(safe, builder):
        kind = type(event)
        if has_question_mark and kind in NODES:
            _check_question_mark(event, builder)
        if kind is ScalarEvent:
            value = event.value.translate(SHOW_BREAKS) if hidden else event.value
            _scalar(event, value, builder)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.anchor or event.tag:
                _refuse_properties(event, builder)
            opened, mark = Mapping if kind is MappingStartEvent else Sequence, event.start_mark
            builder.open(opened, mark.line + 1, mark.column + 1)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            mark = event.end_mark
            if event.start_mark.index < mark.index:
                builder.close(mark.line + 1, mark.column + 1)
            else:  # no bracket, so the mark stands behind the blank lines that follow
                builder.close(*builder.items[-1].span[3:])
        elif kind is AliasEvent:
            _alias(event, builder)
        elif kind is DocumentStartEvent and builder.items:
            help = "put the second spec in a separate file"
            message, span = "a file can have only one document", event_span(builder.file, event)
            builder.faults.not_read(message, span, help)
            break


def _events(text: str, builder: TreeBuilder) -> Iterator[Any]:
    """Yield the events one by one, so that the reading can stop at a limit."""
    next_event = PARSER(text).get_event
    event: Any = None
    try:
        while type(event := next_event()) is not StreamEndEvent:
            yield event
    except yaml.MarkedYAMLError as error:
        raise Unreadable(syntax_fault(error, builder)) from error
    except (ValueError, OverflowError) as error:  # of chr() and decode(), at an escape
        place = fault_point(builder.file, event.end_mark)
        fault = Diagnostic("yaml-syntax", "this escape is not a character", place)
        raise Unreadable(fault) from error


def _check_question_mark(event: Any, builder: TreeBuilder) -> None:
    """Raise `Unreadable` for `{?key: 1}`: YAML 1.2 reads a key with a `?`, but libyaml reads the `?`
    as the sign that a key follows."""
    line, column = event.start_mark.line + 1, event.start_mark.column
    if builder.file.line(line)[max(column - 1, 0) : column] == "?":
        span = Span(builder.file, line, column, line, column + 1)
        fault = Diagnostic(
            "yaml-syntax", "a key that begins with a question mark must be in quotes", span
        )
        raise Unreadable(fault)


def _scalar(event: Any, text: str, builder: TreeBuilder) -> None:
    style, span = event.style, event_span(builder.file, event)
    if style in BLOCK_STYLES or not (
        text or style
    ):  # the mark is behind the blank lines that follow
        end = _end_of_text(builder.file, event.end_mark)
        span = Span(builder.file, *(span[1:3] if style else end), *end)
    if event.anchor or event.tag:
        _refuse_properties(event, builder)
        span = without_properties(span, text, bool(style))
    if event.tag:
        builder.items.append(_tagged(event.tag, text, span, not style, builder))
    else:
        builder.add(text, span, not style)


def _tagged(tag: str, text: str, span: Span, plain: bool, builder: TreeBuilder) -> Scalar:
    """Return a scalar with a tag, which is reported: a tag of YAML says its value, another makes it
    faulty."""
    if tag == f"{YAML_TAGS}str":
        return Scalar(text, span, text, plain)
    if tag.startswith(YAML_TAGS) and tag.removeprefix(YAML_TAGS) in RESOLVED_TAGS:
        return Scalar(resolve(text), span, text, plain)
    return Scalar(FAULTY, span, text, plain, tagged=True)


def _alias(event: Any, builder: TreeBuilder) -> None:
    """Add an alias as a faulty scalar; it is reported unless its anchor is."""
    span = event_span(builder.file, event)
    if event.anchor not in builder.anchors:
        builder.faults.not_read("a spec cannot have aliases", span, NO_ALIASES)
    builder.items.append(faulty(span, f"*{event.anchor}"))


def _refuse_properties(event: Any, builder: TreeBuilder) -> None:
    """Add the faults of an anchor and a tag, which stand where the event begins."""
    builder.anchors.add(event.anchor)
    line = event.start_mark.line + 1
    properties = PROPERTIES.match(builder.file.line(line), event.start_mark.column)
    for group in (1, 2):
        if properties and properties[group]:
            start, end = properties.span(group)
            span = Span(builder.file, line, start + 1, line, end + 1)
            if properties[group].startswith("&"):
                builder.faults.not_read("a spec cannot have anchors", span, NO_ALIASES)
            else:
                help = "remove the tag: values are plain data"
                builder.faults.not_read("a spec cannot have tags", span, help)


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


def event_span(file: SourceFile, event: Any) -> Span:
    """Return the span of an event."""
    start, end = event.start_mark, event.end_mark
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def fault_point(file: SourceFile, mark: Any) -> Span:
    """Return the point of a mark, or the end of the text before it if it is on a blank line."""
    blank = not file.line(mark.line + 1).strip(BLANKS)
    place = _end_of_text(file, mark) if blank else (mark.line + 1, mark.column + 1)
    return Span(file, *place, *place)


def without_properties(span: Span, text: str, quoted: bool) -> Span:
    """Return the span of a scalar without its anchor and tag, if its text is on one line and has no
    escapes."""
    quote = 1 if quoted else 0
    start = span.end_column - len(text) - 2 * quote
    line = span.file.line(span.end_line)
    as_written = line[start - 1 + quote : span.end_column - 1 - quote]
    if span.line != span.end_line or start < span.column or as_written != text:
        return span
    return Span(span.file, span.line, start, span.line, span.end_column)


def _end_of_text(file: SourceFile, mark: Any) -> tuple[int, int]:
    """Return the line and column behind the last character before a mark that is not blank."""
    line = mark.line + 1
    before = file.line(line)[: mark.column]
    while line > 1 and not before.strip(BLANKS):
        line -= 1
        before = file.line(line)
    return line, len(before.rstrip(BLANKS)) + 1


# Compose the tree of a spec from its text, which is YAML or JSON.


TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*+"|[-+.\w]+|[\[\]{}]|\r\n?|\n')


def compose(file: SourceFile, report: AddDiagnostic, text: str | None = None) -> Tree | None:
    """Return the tree of a file, or None if it cannot be read; every fault goes to `report`.

    `text` is read in place of the file's own: a part of it, whose lines have the same numbers.
    """
    builder = TreeBuilder(file)
    if text is None:
        text = file.text.removeprefix("\ufeff")
    is_whole = True
    try:
        check_size(file, text)
        if text.lstrip(" \t\r\n").startswith("{") and is_json(text):
            read_json(text, builder)
        else:
            read_yaml(text, builder)
    except Unreadable as fault:
        is_whole = False
        builder.close_all()
        if not builder.begins_with_template():
            builder.faults.add(fault.diagnostic)
    if builder.faults.found:
        builder.faults.report(report)
    return builder.root() if is_whole else None


def tree_of(file: SourceFile) -> Tree | None:
    """Return the tree of a text, or None if it cannot be read; its faults are ignored."""
    return compose(file, lambda diagnostic, *words: None)


def is_json(text: str) -> bool:
    """Return whether a text is JSON, without NaN and Infinity."""
    try:
        # numbers stay texts, as they are not needed; int() refuses NaN and Infinity
        json.loads(text, parse_int=str, parse_float=str, parse_constant=int)
    except (ValueError, RecursionError):
        return False
    return True


def read_json(text: str, builder: TreeBuilder) -> None:
    """Read a text that is known to be JSON, so that its commas and colons can be skipped."""
    line, line_start = 1, 0
    for match in TOKEN.finditer(text):
        token = match[0]
        column, end_column = match.start() - line_start + 1, match.end() - line_start + 1
        if token[0] in "\r\n":
            line, line_start = line + 1, match.end()
        elif token in "{[":
            builder.open(Mapping if token == "{" else Sequence, line, column)
        elif token in "}]":
            builder.close(line, end_column)
        else:
            plain = token[0] != '"'
            inner = token if plain else json.loads(token) if "\\" in token else token[1:-1]
            builder.add(inner, Span(builder.file, line, column, line, end_column), plain)
