"""Compute params, options and sizes, and find the names of params that they read."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from operator import is_
from typing import Any, NamedTuple, cast

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.text import TRUE_OR_FALSE, code, put, words
from mimgraph.infer.structure import is_lost
from mimgraph.ir.declared_graph import Block, BlockInput, Input, Node
from mimgraph.ir.declared_values import FAULTY, Chosen, LinearSize, Option, Template, Written
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.expression import (
    PLAIN_TYPES,
    ExpressionError,
    Variable,
    WrittenText,
    evaluate,
    plain,
    to_text,
    variables,
    written,
)
from mimgraph.ir.sizes import Line
from mimgraph.source import Span
from mimgraph.support.arguments import shown

# no Python code declares a param
NO_PARAMS = "only sizes of inputs on which the outputs depend have a name here"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def in_inputs(inputs: Iterable[Input | BlockInput]) -> Iterator[str]:
    """Yield the names in inputs: in their shapes and vocabularies, and in `optional`."""
    for one in inputs:
        shape = one.shape if isinstance(one, Input) else one.pattern
        # of a block that is a spec, the input that it was there
        declared = one if isinstance(one, Input) else one.declared
        yield from in_value([*(shape.written if shape else ()), one.optional])
        if declared is not None:
            yield from in_value([declared.optional, declared.vocab and declared.vocab.value])


def in_block(block: Block) -> Iterator[str]:
    """Yield the names in a block, without those in the defaults of its params."""
    yield from in_inputs(block.inputs)
    yield from in_nodes(block.nodes)
    yield from in_value(block.doc)


def in_nodes(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the names in the options of nodes, and in the names of their ops."""
    for node in nodes:
        given = [*(node.training.every_option() if node.training else ())]
        given += [node.over] if node.over is not None else []
        applied = node.applied
        if applied is not None and node.operation is not None:
            each = node.operation.every_option() if node.has_branches else ()
            given += (*each, *applied.every_option())
            names = [str(name) for name in applied.names() if isinstance(name, Chosen)]
            yield from in_value(names)
            yield from in_nodes(applied.items)
        yield from in_value([node.freeze, *(option.value for option in given)])


def in_value(value: Any) -> Iterator[str]:
    """Yield the names in the value of an option or param, or in a text."""
    for part in parts(value):
        if isinstance(part, str):
            yield from _WORD.findall(part) if "$" in part else ()
        elif isinstance(part, Written):
            yield from (variable.name for variable in variables(part.expression))
        elif isinstance(part, Template):
            yield from (match[1] for match in part.names())


def parts(value: Any) -> Iterable[Any]:
    """Return the value itself, or of a list or mapping the parts of each item."""
    if type(value) in PLAIN_TYPES or not isinstance(value, list | Mapping):
        return (value,)
    items = value.values() if isinstance(value, Mapping) else value
    return chain.from_iterable(map(parts, items))


# Compute the values of options and params: `$name`, `$(...)` and the names inside of a text.


Environment = Mapping[str, Any]  # the values of params and sizes by name; FAULTY if unknown

LONGEST = 80  # characters of a value that a help repeats


def layered(*layers: Mapping[str, Any]) -> Environment:
    """Return the names of all layers; the first layer that has a name gives its value."""
    return ChainMap(*cast("tuple[dict[str, Any], ...]", layers))


class Origin(NamedTuple):
    """The place where a call of a block gives a param; a fault of a value in `with` is reported
    there."""

    span: Span
    in_with: bool


Origins = Mapping[str, Origin]  # by the name of the param
NO_ORIGINS: Origins = {}


class Evaluation(NamedTuple):
    """The context of computing values: the names that they may use, and where faults are
    reported; `hint` is added to the help for an unknown name that is like no other."""

    env: Environment
    report: Report
    node: str = ""
    origins: Origins = NO_ORIGINS
    hint: str = ""

    def fault(
        self, code: DiagnosticCode, message: str, span: Span, value: Any = None, help: str = ""
    ) -> None:
        """Report a fault at the span, or where a call gives the param that `value` is computed from."""
        span, labels = placed(span, value, self.origins)
        self.report.add(Diagnostic(code, message, span, "", labels, help, self.node))


class _Reported(Exception):
    """Raised where a value cannot be computed, for a reason that is reported already."""


def origin_of(value: Any, origins: Origins) -> Origin | None:
    """Return where a call gives the param that this value is computed from; None if no call
    does."""
    if not origins or not isinstance(value, Written):
        return None
    return next((origins[v.name] for v in variables(value.expression) if v.name in origins), None)


def placed(span: Span, value: Any, origins: Origins) -> tuple[Span, tuple[Label, ...]]:
    """Return the span to report a faulty value at, its use or its place in `with`, and a label for
    the other."""
    origin = origin_of(value, origins)
    if origin is None:
        return span, ()
    if origin.in_with:
        return origin.span, (Label(span, "used here"),)
    return span, (Label(origin.span, "given here"),)


def compute(value: Any, at: Evaluation) -> Any:
    """Return the value as plain data, with everything in it computed; FAULTY if that fails, which is
    reported."""
    if type(value) in PLAIN_TYPES:
        return value
    if isinstance(value, Written):
        return _compute(value, at)
    if isinstance(value, Template):
        return _fill(value, at)
    if isinstance(value, list):
        found = [compute(item, at) for item in value]
        return FAULTY if has_faulty(found) else found
    if isinstance(value, dict):
        pairs = {key: compute(item, at) for key, item in value.items()}
        return FAULTY if has_faulty(pairs.values()) else pairs
    return value


def has_faulty(values: Iterable[Any]) -> bool:
    """Return whether one of the values is FAULTY, by identity: `==` of an array gives an array."""
    return any(map(partial(is_, FAULTY), values))


def decide(what: str, value: bool | Written, at: Evaluation) -> bool:
    """Return true or false, as it is written or as a param gives it; False after reporting that
    the param is something else."""
    if isinstance(value, bool):
        return value
    found = compute(value, at)
    if found is not FAULTY and not isinstance(found, bool):
        message = (
            f"{what} must be {TRUE_OR_FALSE}, but {to_text(value.expression)} is {as_yaml(found)}"
        )
        at.fault("wrong-type", message, value.span, value)
    return found is True


def _compute(value: Written, at: Evaluation) -> Any:
    """Return the value of a written expression; FAULTY after reporting why it has none."""
    try:
        result = evaluate(value.expression, partial(_look_up, value, at))
    except _Reported:
        return FAULTY
    except ExpressionError as error:
        at.fault(error.code, error.message, value.at(error.start, error.end), value, error.help)
        return FAULTY
    return written(result, value.expression)


def _look_up(value: Written, at: Evaluation, name: Variable) -> Any:
    """Return the value of a name in an expression."""
    try:
        found = at.env[name.name]
    except KeyError:
        _unknown_param(name.name, value.at(name.start, name.end), at)
        raise _Reported from None
    if found is FAULTY:
        raise _Reported
    return found


def _fill(value: Template, at: Evaluation) -> Any:
    """Return a text with the number of each `$name` in its place."""
    before = len(at.report.diagnostics)
    is_unknown = False
    found: dict[str, Any] = {}
    for match in value.names():
        name, span = match[1], value.part(match.start(1), match.end(1))
        number = at.env.get(name)
        if name not in at.env:
            _unknown_number(name, span, at)
            is_unknown = True
        elif number is FAULTY:
            return FAULTY
        elif is_number(number) or (value.formula and isinstance(number, Dim)):
            found[name] = plain(number)
        else:
            at.fault("bad-expression", _not_a_number(name, number), span)
    if is_unknown or len(at.report.diagnostics) > before:
        return FAULTY
    shown = value.filled({name: in_formula(number) for name, number in found.items()})
    return WrittenText(shown.replace("$(", "("), value.text, found)


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_a_number(name: str, value: Any) -> str:
    """Return the message for a `$name` in a text whose value is no number."""
    if isinstance(value, Dim):
        return f"{name} is known only at run time, but only a number is valid here"
    kind = {bool: TRUE_OR_FALSE, str: "a string", list: "a list", type(None): as_yaml(None)}
    return f"{name} is {kind.get(type(value), 'not a number')}, but only a number is valid here"


def in_formula(value: float | Dim) -> str:
    """Return the text of a number or size in a formula: in parentheses if it has an operator."""
    text = repr(value)
    is_atom = text.isidentifier() if isinstance(value, Dim) else value >= 0
    return text if is_atom else f"({text})"


def as_yaml(value: Any) -> str:
    """Return a refused value as YAML writes it, a text in quotes; a long one shortened."""
    if value is None or isinstance(value, bool):
        return code("null" if value is None else str(value).lower())
    return shown(value)


def as_option(size: Size) -> str:
    """Return a size as an option has it: `8`, `$T`, `$(2*T)`."""
    if not isinstance(size, Dim):
        return str(size)
    return f"${size}" if str(size).isidentifier() else f"$({size})"


def _unknown_param(name: str, span: Span, at: Evaluation) -> None:
    """Report that no param has this name, unless it is probably one that could not be read."""
    known = at.env
    lost = {one for one, value in known.items() if _is_faulty(value)}
    if is_lost(name, lost, known.keys() - lost, at.report):
        return
    if name == "N":
        help = "N is the batch, whose size no option can read"
    elif name.startswith("$"):
        help = "write the name without $ inside $(...)"
    else:
        near = at.report.suggestion(name, known, "known here")
        help = near or words(f"declare it: params: {{{name}: ...}}", NO_PARAMS)
        if at.hint and not near.startswith("did you mean"):
            help = f"{help}; {at.hint}"
    at.fault("unknown-param", f"no param or dimension is called {name!r}", span, help=help)


def _unknown_number(name: str, span: Span, at: Evaluation) -> None:
    """Report that no param has this name, in a text, where mostly a number is meant and no size."""
    numbers = {known: x for known, x in at.env.items() if not isinstance(x, Dim)}
    _unknown_param(name, span, at._replace(env=numbers))


def _is_faulty(value: Any) -> bool:
    """Return whether the value or the default of a param could not be read."""
    return (value.value if isinstance(value, Option) else value) is FAULTY


# without computing


def check_names(value: Any, at: Evaluation) -> None:
    """Report the unknown names in a value, for nodes that are not typed."""
    for one in parts(value):
        if isinstance(one, Written):
            for name in variables(one.expression):
                if name.name not in at.env:
                    _unknown_param(name.name, one.at(name.start, name.end), at)
        elif isinstance(one, Template):
            for match in one.names():
                if match[1] not in at.env:
                    span = one.part(match.start(1), match.end(1))
                    _unknown_number(match[1], span, at)


def is_constant(value: Any) -> bool:
    """Return whether a value has no expressions in it."""
    if type(value) in PLAIN_TYPES:
        return True
    return not any(isinstance(part, Written | Template) for part in parts(value))


def length_of(value: Any) -> int:
    """Return roughly how many characters the value has when written."""
    texts = [part.text if isinstance(part, Template) else part for part in parts(value)]
    return sum([len(text) if isinstance(text, str) else 2 for text in texts])


def texts_in(value: Any) -> list[str]:
    """Return the texts in plain data."""
    return [part for part in parts(value) if isinstance(part, str)]


# Compute the factor and the offset of sizes that are linear in a name, `$patch*H + 1`.


def linear_size(size: LinearSize, span: Span, at: Evaluation) -> Line | None:
    """Return the factor and offset of a size, which make it at least 1 for each name of at least 1; None if
    one is faulty, which is reported."""
    factor, offset = (plain(compute(number, at)) for number in size[::2])
    if factor is FAULTY or offset is FAULTY:
        return None
    fault = _fault(size.name, factor, offset)
    if fault is None:
        return Line(factor, offset)
    message, help = fault
    at.fault("bad-option", message, span, help=help)
    return None


def _fault(name: str, factor: Any, offset: Any) -> tuple[str, str] | None:
    """Return the message and help for numbers that give no legal size; None if they do."""
    if type(factor) is not int or type(offset) is not int:
        odd = offset if type(factor) is int else factor
        message = f"a size is an integer times {name}, plus an integer, and this has {odd!r}"
        is_whole = isinstance(odd, float) and odd.is_integer()
        return message, "for a whole number write a // b" if is_whole else ""
    if factor < 1:
        return f"{name} is multiplied by {factor}, but the factor must be at least 1", ""
    if factor + offset < 1:
        shifted = LinearSize(factor, name, (offset - 1) % factor + 1 - factor)
        message = f"the size is {factor + offset} where {name} is 1, the least that a name can be"
        return message, f"count {name} from the first valid size: write {put(shifted)}"
    return None
