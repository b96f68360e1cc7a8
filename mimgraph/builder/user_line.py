"""Find the user's line that is running, raise errors there, and word them as Python."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from itertools import islice
from types import FrameType
from typing import Any, NoReturn

from mimgraph.diagnostics import Diagnostic, Label, Report, Sketch, SpecError, distinct
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.ir.declared_values import PARAMS
from mimgraph.ops import python_text, registry
from mimgraph.source import PythonFile, Span
from mimgraph.support.entry_point import is_ours
from mimgraph.support.objects import cell_name

Position = tuple[
    int | None, int | None, int | None, int | None
]  # line, end line, column, end column
NOWHERE: Position = (None, None, None, None)


def user_line() -> Span:
    """Return the user's line that is running: the innermost frame outside this package."""
    frame = user_frame()
    return at_line(frame.f_code.co_filename, frame.f_lineno)


def at_line(path: str, line: int) -> Span:
    """Return the span of a whole line of a Python file, or of a cell of a notebook."""
    return _at_line(path, cell_name(path), line)


@lru_cache  # a loop calls layers at one line
def _at_line(path: str, cell: str, line: int) -> Span:
    return Span(_python_file(path, cell), line, 1, line, 1)


def definition(function: Any) -> Span:
    """Return the line with the `def` of a function, after its decorators."""
    path, first = function.__code__.co_filename, function.__code__.co_firstlineno
    file = at_line(path, first).file
    lines = range(first, first + 20)
    is_def = (line for line in lines if file.line(line).lstrip().startswith("def "))
    return at_line(path, next(is_def, first))


_python_file = cache(PythonFile)


def user_frame() -> FrameType:
    """Return the innermost frame outside this package."""
    frame = sys._getframe(2)
    while (outer := frame.f_back) is not None and is_ours(frame.f_globals.get("__name__", "")):
        frame = outer
    return frame


def raise_faults(report: Report, span: Span) -> None:
    """Raise the diagnostics, if there are any; those at the line `span` get the columns of the
    call, and those in a spec, of which it takes a handle, become faults of the call."""
    if report.diagnostics:
        exact = _columns(span)
        raise SpecError(in_python(_in_code(found, span, exact)) for found in report.diagnostics)


def raise_at_call(
    diagnostics: Iterable[Diagnostic], span: Span, sketch: Sketch | None = None
) -> NoReturn:
    """Raise the faults of a changed graph, which `sketch` draws, at the call on the line `span`; where each
    arose is a label."""
    exact = _columns(span)
    # many nodes may be declared at one line of Python: their faults are told apart by node
    once = {
        (found.code, found.span, found.node, distinct(found)): found
        for found in reversed([*diagnostics])
    }
    error = SpecError([])
    found = reversed([*once.values()])
    error.diagnostics += [in_python(_at_call(one, span, exact)) for one in found]
    error.sketch = sketch
    raise error


def _in_code(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    if not isinstance(found.span.file, PythonFile):
        return _at_call(found, span, exact)
    return _refined(found, span, exact) if found.span[:2] == span[:2] else found


def _at_call(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    if found.span in (span, exact):
        note = found.note or (f"in {found.node}" if found.node else "")
        return _refined(replace(found, note=note), span, exact)
    labels = (Label(found.span, found.note), *found.labels)
    return _refined(replace(found, span=span, note="", labels=labels), span, exact)


def _refined(found: Diagnostic, span: Span, exact: Span) -> Diagnostic:
    """Return the diagnostic with exact columns, of the call or of an argument, without labels that
    would show the whole line."""
    labels = tuple(label for label in found.labels if label.span != span)
    return replace(found, span=exact if found.span == span else found.span, labels=labels)


def spec_error(code: DiagnosticCode, message: str, span: Span, help: str = "") -> SpecError:
    """Return the error with one diagnostic, at the columns of the running call."""
    return SpecError([Diagnostic(code, message, _columns(span), help=help)])


def running_call() -> Span:
    """Return the place of the call that the user's line is running."""
    return _columns(user_line())


def _columns(span: Span) -> Span:
    """Return the columns of the call that is running on the line `span`, if Python knows them."""
    frame = user_frame()
    if span != at_line(frame.f_code.co_filename, frame.f_lineno):
        return span
    positions = islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    return at_position(span, next(positions, NOWHERE))


def at_position(span: Span, position: Position) -> Span:
    """Return the span of the position of an instruction on a line, `span`; the line itself if Python does
    not know it."""
    line, end_line, start, end = position
    if line is None or end_line is None or start is None or end is None:
        return span
    return Span(
        span.file,
        line,
        _characters(span, line, start) + 1,
        end_line,
        _characters(span, end_line, end) + 1,
    )


def _characters(span: Span, line: int, count: int) -> int:
    """Return how many characters the first `count` bytes of a line are."""
    return len(span.file.line(line).encode()[:count].decode(errors="replace"))


# Write the texts of a diagnostic in Python: `layers.Flatten()(x)` for `{layer: Flatten, from:
# x}`.
#
# The rules of ops and the checks of nodes are the same for a spec and for Python code, and write
# YAML. At a line of Python a fault shows what to write there.


# how to put a number into the text of a size
VALUES = 'name the axis itself, and put the value of a variable k into the text: f"{k}*H"'
# what is not an option or a node, in Python
_PHRASES = {
    "name it in the outputs of": "return it from",
    "write each: [...] to": "call .each(...) to",
    "write each in place of from to": "call .each(...) to",
    "{name: options}": "a layer such as layers.ELU(0.5)",
    "each must be a whole number of copies": "times must be a whole number of copies",
    "name the next value in the outputs of": "return the next value from",
    PARAMS: VALUES,
    "or until CHILD": 'or "until CHILD"',
    "write scan, not block": "write .scan(...)",
}
_WORDS = {"true": "True", "false": "False", "null": "None", "seq": "Sequential", "mapping": "dict"}

# Options that a text names with a value, outside of a node, `broadcast: true`: a word before a colon
# may be English, too, so that each has a pattern of the values that make it an option.
_FLAG, _NUMBER, _NAME, _NESTED = r"(true|false)\b", r"-?\d", r"[\w.$]", r"[\[{]"
_OPTIONS = {
    **dict.fromkeys(("batched", "broadcast", "freeze", "optional", "shared"), _FLAG),
    **dict.fromkeys(("batch_dim", "dim", "times"), _NUMBER),
    **dict.fromkeys(("activation", "dtype", "like", "mode"), rf"{_NAME}|{_NESTED}"),
    **dict.fromkeys(("carry", "each", "option", "outputs", "with"), _NESTED),
    "collect": rf"{_FLAG}|{_NAME}",
    "from": rf"{_NAME}|{_NESTED}",
    "missing": r"skip\b",
    "only": r"training\b",
    **dict.fromkeys(("over", "repeat"), rf"{_NUMBER}|{_NESTED}"),
    "padding": rf"{_NUMBER}|{_NESTED}|same\b",
    "shape": _NESTED,
    "take": _NAME,
}
_INPUT = re.compile(
    r"(\w+): \{(?:shape: \[\.\.\.\], )?optional: true\}"
)  # an optional one of a block
_PARAM = re.compile(r"declare it: params: \{\w+: \.\.\.\}")  # no Python code writes one
_LONE = re.compile(r"([A-Z]\w*) without a value\b")  # a layer without an option by position
_ITEM = re.compile(
    r"(?<![\w.])([A-Z]\w*): (?=\{(?!layer|merge|from))"
)  # an item of a chain without its braces
_BARE = r"(?!(write|make|read) )(\[[^\]]*\]|[^\s,;{]+)"  # a value that is not a verb after a colon
_NODE = re.compile(  # a node without its braces: `arange: x, dim: 1`
    rf"(?<![\w.])(arange|layer|ones|random|share|zeros): {_BARE}(, (dim|like|take): {_BARE})*"
)
_OPTION = re.compile("|".join(rf"(?<![\w.]){key}: (?={value})" for key, value in _OPTIONS.items()))
_TOKEN = re.compile(
    r"\$\((?P<sum>[^()]*(?:\([^()]*\)[^()]*)*)\)|\$(?P<param>\w+)|\w+|(?<!\w)'[^']*'|.", re.DOTALL
)
_SEVERAL, _PORTS = re.compile(r"(\w+) has several results: choose a port"), "its ports: "
_CLOSING = {"{": "}", "[": "]"}

_NO_NODE = (ValueError, TypeError, AttributeError, RecursionError)


def in_python(found: Diagnostic) -> Diagnostic:
    """Return a diagnostic with its texts in Python if it points at a line of Python."""
    if not isinstance(found.span.file, PythonFile):
        return found
    several = _SEVERAL.match(found.message)
    if several is not None and found.help.startswith(_PORTS):
        ports = found.help.removeprefix(_PORTS).split(", ")
        found = replace(found, help=_PORTS + ", ".join(f'{several[1]}["{port}"]' for port in ports))
    return replace(
        found,
        message=python_words(found.message),
        note=python_words(found.note),
        help=python_words(found.help),
        labels=tuple(label._replace(text=python_words(label.text)) for label in found.labels),
    )


def python_words(text: str) -> str:
    from mimgraph.diagnostics.text import parts_of

    return "".join(
        _legacy(p) if isinstance(p, str) else python_text._part(p) for p in parts_of(text)
    )


def _legacy(text: str) -> str:
    """Return a text of a diagnostic with Python in place of YAML."""
    for phrase, python in _PHRASES.items():
        text = text.replace(phrase, python)
    text = _INPUT.sub(r"\1=None", text)
    text = _PARAM.sub("only sizes of inputs on which the outputs depend have a name here", text)
    text = _LONE.sub(r"layers.\1()", text)
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    """Yield the parts of a text: nodes and options as Python, the words between them."""
    at = 0
    while at < len(text):
        option, node, item = (one.match(text, at) for one in (_OPTION, _NODE, _ITEM))
        if item:
            end = _end(text, item.end())
            yield _python("", f"{{{text[at:end]}}}")
        elif node:
            end = node.end()
            yield _python("", f"{{{node[0]}}}")
        elif option or text[at] == "{":
            start = option.end() if option else at
            end = _end(text, start)
            yield _python(option[0].removesuffix(": ") if option else "", text[start:end])
        else:
            token = _TOKEN.match(text, at)
            assert token is not None
            end = token.end()
            yield token["sum"] or token["param"] or _WORDS.get(token[0], token[0])
        at = end


def _python(key: str, text: str) -> str:
    """Return a node, or the value of an option, as Python; a text that is neither as it is.

    A message may hold a text of the user's, in which braces mean anything.
    """
    try:
        return _written(key, python_text.parsed(text))
    except _NO_NODE:
        return f"{key}: {text}" if key else text


def _written(key: str, value: Any) -> str:
    """Return the data of a node, or of the value of an option, as Python."""
    if key == "from":
        return python_text.python_sources(value)
    if key == "option":
        return f"option: {', '.join(python_text.python_argument(*one) for one in value.items())}"
    if key == "outputs":
        return f"return {python_text.handles_by_name(value)}"
    if key == "carry":
        return f"carry={python_text.handles_by_name(value)}"
    if key:
        return python_text.python_argument("with_" if key == "with" else key, value)
    if any(map(python_text.is_node, value)):
        return python_text.python_call(value)
    if "shape" in value:
        return python_text.python_input("...", value)
    if _is_item(value):
        return python_text.python_item(value)
    if None in value.values():
        raise ValueError("a set of names")
    return python_text.python_literal(value)


def _is_item(value: Mapping[str, Any]) -> bool:
    """Return whether a mapping is an item of a chain: a layer, or a block whose port is taken."""
    if len(value) != 1:
        return False
    ((name, options),) = value.items()
    is_layer = registry.find("layer", name) is not None
    return is_layer or (isinstance(options, dict) and "take" in options)


def _end(text: str, start: int) -> int:
    """Return the end of the YAML value that begins at `start`; in brackets it may contain spaces."""
    closing: list[str] = []
    quote = ""
    for at in range(start, len(text)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and (at == start or text[at - 1] in " [{,("):
            quote = char
        elif char in _CLOSING:
            closing.append(_CLOSING[char])
        elif closing and char == closing[-1]:
            closing.pop()
        if not closing and not quote and (at + 1 == len(text) or text[at + 1] in " ,;)}]"):
            return at + 1
    return len(text)
