"""The options of an op as given: names checked once a node, values computed and checked at each use."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import partial
from operator import is_
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.structure import is_lost
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import (
    PLAIN,
    Arithmetic,
    Expression,
    ExpressionError,
    Negative,
    Number,
    Variable,
    WrittenFloat,
    WrittenText,
    evaluate,
    identity,
    parse,
    plain,
    to_text,
    variables,
    written,
)
from mimgraph.ir.graph import (
    BESIDE_FROM,
    FAULTY,
    OTHERS,
    Activation,
    Option,
    Template,
    Written,
)
from mimgraph.ir.option_types import choices, describe
from mimgraph.ops.op import Op
from mimgraph.ops.signature import OptionSpec
from mimgraph.ops.spelling import Form, with_required
from mimgraph.source import Span

Environment = Mapping[str, Any]

# words that mean something, but of another thing
ELSEWHERE = {
    "from": "leave it out: an item of a seq reads the one before it",
    "repeat": "only a block can be repeated: put it in one",
    "activation": "only a layer or a merge takes an activation",
    "batch_first": "leave it out: it is always true here",
    "like": "only a node with Cast takes it, as a second source: {layer: Cast, from: ..., like: ...}",
}

TRAINED = ("trainable", "requires_grad")
SOURCES = ("input", "inputs", "source", "sources")  # what others call `from`

MANY = 32  # names that are not copied for each use
# what to write for a size `{name}` in a formula
COUNTED = (
    "compute {name} in nodes: {arange: ..., dim: ...} counts from 0 to {name} - 1, so {name} is its Max"
    " plus 1; and write broadcast: true"
)
LONGEST = 80  # characters of a text that a help writes anew

# a name as templates have it
_LEFT = re.compile(r"\{+\s*([A-Za-z_]\w*)\s*\}+|[%@]\(?([A-Za-z_]\w*)(?:\)[a-z]|@)", re.ASCII)
_TUPLE = re.compile(r"\(([^()]*,[^()]*?),?\s*\)")
_INFINITE = re.compile(r"(-)?\+?inf(?:inity)?", re.IGNORECASE)
_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)", re.ASCII)


def layered(*layers: Mapping[str, Any]) -> Environment:
    """The names of all, of two alike the first one's: of few a copy, which is read faster."""
    some = [layer for layer in layers if layer]
    if len(some) < 2:
        return some[0] if some else {}
    if sum(map(len, some)) > MANY:
        return ChainMap(*cast("list[dict[str, Any]]", some))
    found: dict[str, Any] = {}
    for layer in reversed(some):
        found.update(layer)
    return found


class _AlreadyTold(Exception):
    """A value cannot be computed, for a reason that is reported."""


class Values(NamedTuple):
    """Every option's value at one use, defaults included.

    `key` tells those given from others, their origins too, as long as they live; `run_time` are
    the sizes in them that are known only then.
    """

    by_name: Mapping[str, Any]
    key: Hashable
    run_time: Sequence[tuple[str, Dim]]


class Bound(NamedTuple):
    """An op's options by name as given: of the `varying` a use gives the values, `fixed` has those
    of all others; `inferred` are those given that the sources decide. `activation` follows."""

    op: Op
    given: Mapping[str, Option]
    inferred: Sequence[str]
    varying: Mapping[str, Option]
    fixed: Values
    faulty: bool
    length: int
    activation: Activation | None = None


class Origin(NamedTuple):
    """Holds where a use of a block gives the value of a param; if it is one of those that `with`
    gives, what is wrong with it is told there."""

    span: Span
    in_with: bool


Origins = Mapping[str, Origin]  # by the name of the param
NO_ORIGINS: Origins = {}


def origin_of(value: Any, origins: Origins) -> Origin | None:
    """Return where the use gives the param that this value is computed from, if it does."""
    if not origins or not isinstance(value, Written):
        return None
    return next((origins[v.name] for v in variables(value.expression) if v.name in origins), None)


def compute(
    value: Any, env: Environment, report: Report, node: str, origins: Origins = NO_ORIGINS
) -> Any:
    """Plain data from a given value: every `Written` in it computed; FAULTY if one cannot be."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Written):
        return _compute(value, env, report, node, origins)
    if isinstance(value, Template):
        return _fill(value, env, report, node)
    if isinstance(value, list):
        found = [compute(item, env, report, node, origins) for item in value]
        return FAULTY if has_faulty(found) else found
    if isinstance(value, dict):
        pairs = {key: compute(item, env, report, node, origins) for key, item in value.items()}
        return FAULTY if has_faulty(pairs.values()) else pairs
    return value


def texts_in(value: Any) -> list[str]:
    """Return the texts in plain data."""
    if isinstance(value, Mapping):
        return texts_in([*value.values()])
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [value] if isinstance(value, str) else []


def has_faulty(values: Iterable[Any]) -> bool:
    """Whether one is faulty; nothing is compared, as what Python code gives may be an array."""
    return any(map(partial(is_, FAULTY), values))


def _fill(value: Template, env: Environment, report: Report, node: str) -> Any:
    """The text with the value of each `$name` in its place; only numbers stand in a text."""
    before = len(report.diagnostics)
    is_unknown = False
    found: dict[str, Any] = {}
    for match in _NAME.finditer(value.text):
        name, span = match[1], value.part(match.start(1), match.end(1))
        number = env.get(name)
        if name not in env:
            sizes = {known for known, size in env.items() if isinstance(size, Dim)}
            numbers = {known: env[known] for known in env if known not in sizes}
            _unknown_param(name, span, numbers, report, node)
            is_unknown = True
        elif number is FAULTY:
            return FAULTY
        elif isinstance(number, bool) or not isinstance(number, int | float):
            message, help = _no_number(name, number), ""
            if isinstance(number, Dim):
                help = value.counted.replace("{name}", name)
            report.add(Diagnostic("bad-expression", message, span, help=help, node=node))
        else:
            found[name] = plain(number)
    if is_unknown or len(report.diagnostics) > before:
        return FAULTY
    return WrittenText(with_numbers(value.text, found), value.text, found)


def _no_number(name: str, value: Any) -> str:
    """Return why a param or size cannot stand in a text: it is no plain number."""
    if isinstance(value, Dim):
        return f"{name} is known only at run time, but only a number can stand here"
    kind = {bool: "true or false", str: "a text", list: "a list", type(None): "null"}
    return f"{name} is {kind.get(type(value), 'not a number')}, but only a number can stand here"


def with_numbers(text: str, numbers: Mapping[str, Any]) -> str:
    """The text with the number of each `$name` in its place."""
    return _NAME.sub(lambda m: _plain_number(numbers[m[1]]) if m[1] in numbers else m[0], text)


def _plain_number(value: Any) -> str:
    """A number as a formula reads it."""
    return repr(value) if value >= 0 else f"({value!r})"


def _is_faulty(value: Any) -> bool:
    """Return whether a param's value, or the default that it was declared with, could not be read."""
    return (value.value if isinstance(value, Option) else value) is FAULTY


def _unknown_param(
    name: str, span: Span, known: Mapping[str, Any], report: Report, node: str
) -> None:
    """Report that no param has this name, unless an unreadable param probably had it."""
    lost = {one for one, value in known.items() if _is_faulty(value)}
    if is_lost(name, lost, known.keys() - lost, report):
        return
    near = report.suggestion(name, known, "known here")
    if name.startswith("$"):
        near = "write the name without $ inside $(...)"
    help = near or f"declare it: params: {{{name}: ...}}"
    report.add(
        Diagnostic(
            "unknown-param",
            f"no param or dimension is called {name!r}",
            span,
            help="N is the batch, whose size no option can read" if name == "N" else help,
            node=node,
        )
    )


def _look_up(value: Written, env: Environment, report: Report, node: str, name: Variable) -> Any:
    """The value of a name in an expression."""
    try:
        found = env[name.name]
    except KeyError:
        _unknown_param(name.name, value.at(name.start, name.end), env, report, node)
        raise _AlreadyTold from None
    if found is FAULTY:
        raise _AlreadyTold
    return found


def _compute(value: Written, env: Environment, report: Report, node: str, origins: Origins) -> Any:
    try:
        result = evaluate(value.expression, partial(_look_up, value, env, report, node))
    except _AlreadyTold:
        return FAULTY
    except ExpressionError as error:
        span, origin = value.at(error.start, error.end), origin_of(value, origins)
        span, labels = placed(span, origin)
        report.add(
            Diagnostic(error.code, error.message, span, labels=labels, help=error.help, node=node)
        )
        return FAULTY
    return written(result, value.expression)


def check_names(value: Any, known: Mapping[str, Any], report: Report, node: str) -> None:
    """Report the names in a value that are unknown; for bodies that no use has computed yet."""
    if isinstance(value, Written):
        for name in variables(value.expression):
            if name.name not in known:
                _unknown_param(name.name, value.at(name.start, name.end), known, report, node)
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            check_names(item, known, report, node)


def is_constant(value: Any) -> bool:
    """Whether nothing in the value is computed."""
    if type(value) in PLAIN:
        return True
    if isinstance(value, list):
        return all(map(is_constant, value))
    if isinstance(value, dict):
        return all(map(is_constant, value.values()))
    return not isinstance(value, Written | Template)


def length_of(value: Any) -> int:
    """About how many characters the value takes to write."""
    if isinstance(value, list):
        return sum(map(length_of, value))
    if isinstance(value, dict):
        return sum(map(length_of, value.values()))
    if isinstance(value, Template):
        return len(value.text)
    return len(value) if isinstance(value, str) else 2


def bind(
    op: Op,
    options: Mapping[str, Option],
    lone: Option | None,
    name_span: Span,
    report: Report,
    node: str,
    words: tuple[str, ...] = (),
    form: Form = "node",
    known: Environment = MappingProxyType({}),
) -> Bound:
    """Match the given options to those of the op, and compute what is the same in every use.

    `form` is where the op stands, so where what it lacks is written; `known` are the params there.
    """
    before = len(report.diagnostics)
    given = _matched(op, options, lone, report, node, words, form)
    is_read = OTHERS not in options
    if len(report.diagnostics) == before and is_read and not _is_positional(op, lone):
        missing = {o.name: describe(o.annotation) for o in op.required if o.name not in given}
        written = "" if form == "node" or not missing else with_required(op, given, form)
        missing_options(op.name, missing, name_span, report, node, written)
    varying, literal, length = dict[str, Option](), dict[str, Option](), 0
    for name, option in given.items():
        (literal if is_constant(option.value) else varying)[name] = option
        length += length_of(option.value)
    fixed = _values(op, Values(op.defaults, (), ()), literal, known, report, node)
    faulty = len(report.diagnostics) > before or has_faulty(fixed.by_name.values()) or not is_read
    inferred = [name for name in op.inferred if name in given]
    return Bound(op, given, inferred, varying, fixed, faulty, length)


def _is_positional(op: Op, lone: Option | None) -> bool:
    """Return whether a lone value lists several options, `Conv2d: [8, 3]`. It is refused as a value of
    the first, from which the missing of the others follows."""
    if lone is None or not isinstance(lone.value, list) or op.lone_option is None:
        return False
    return is_constant(lone.value) and not _fits(op.options[op.lone_option], lone.value)


def _matched(
    op: Op,
    options: Mapping[str, Option],
    lone: Option | None,
    report: Report,
    node: str,
    words: tuple[str, ...],
    form: Form,
) -> dict[str, Option]:
    """The options by name: those that the op does not have are told, as a lone value with no home."""
    given = dict(options)
    given.pop(OTHERS, None)
    if lone is not None and op.lone_option is None:
        takes = "its options by name" if op.options else "no options"
        message = f"{op.name} takes {takes}"
        report.add(Diagnostic("wrong-type", message, lone.span, help=_by_name(op), node=node))
    elif lone is not None and op.lone_option is not None:
        given[op.lone_option] = lone
    for name in [name for name in given if name not in op.options]:
        known = (*op.options, *((BESIDE_FROM[op.name],) if op.name in BESIDE_FROM else ()))
        operands = () if op.inputs.kind == "one" else op.inputs.names
        option = given.pop(name)
        unknown_option(op.name, name, option, known, words, report, node, operands, form)
    return given


def placed(span: Span, origin: Origin | None) -> tuple[Span, tuple[Label, ...]]:
    """Place a fault where its value is used or, of one in `with`, written; the other gets a label."""
    if origin is None:
        return span, ()
    if origin.in_with:
        return origin.span, (Label(span, "used here"),)
    return span, (Label(origin.span, "given here"),)


def values(
    bound: Bound, env: Environment, report: Report, node: str, origins: Origins = NO_ORIGINS
) -> Values | None:
    """Every option's value at this use, defaults included; None if one is faulty."""
    if not bound.varying:
        return None if bound.faulty else bound.fixed
    found = _values(bound.op, bound.fixed, bound.varying, env, report, node, origins)
    return None if bound.faulty or has_faulty(found.by_name.values()) else found


def _values(
    op: Op,
    others: Values,
    given: Mapping[str, Option],
    env: Environment,
    report: Report,
    node: str,
    origins: Origins = NO_ORIGINS,
) -> Values:
    """The values of those given beside the others; FAULTY is told."""
    found, key, run_time = {**others.by_name}, [others.key], [*others.run_time]
    for name, option in given.items():
        value = compute(option.value, env, report, node, origins)
        if value is not FAULTY:
            value = _checked(op, op.options[name], value, option, env, report, node, origins)
        found[name] = value
        key += name, identity(value)
        if not isinstance(value, (int, float, str)):
            run_time += [(name, size) for size in _run_time_sizes(value)]
    return Values(found, tuple(key), run_time)


def _run_time_sizes(value: Any) -> list[Dim]:
    if isinstance(value, Dim):
        return [value]
    if isinstance(value, list | tuple):
        return [size for item in value for size in _run_time_sizes(item)]
    return []


def _checked(
    op: Op,
    spec: OptionSpec,
    value: Any,
    option: Option,
    env: Environment,
    report: Report,
    node: str,
    origins: Origins,
) -> Any:
    try:
        return spec.check(value)
    except ValueError:
        span, labels = placed(option.span, origin_of(option.value, origins))
        size = _run_time_size(value)
        if size is not None:
            message = f"{spec.name} must be a number, but it is {size}"
            note = f"{size} is known only at run time"
            help = "give this size in the input's shape"
            fault = Diagnostic("symbolic-size", message, span, note, labels, help, node)
            report.add(fault)
            return FAULTY
        wants = describe(spec.annotation)
        near = nearest(value, choices(spec.annotation)) if isinstance(value, str) else None
        report.add(
            Diagnostic(
                "bad-option",
                f"{spec.name} of {op.name} must be {wants}{_got(value)}",
                span,
                labels=labels,
                help=f"did you mean {near}?" if near else _meant(op, spec, value, env),
                node=node,
            )
        )
        return FAULTY


def _meant(op: Op, spec: OptionSpec, value: Any, env: Environment) -> str:
    """Return what to write for a list of the values of several options, for a lone value of a list,
    or for what `_as_expression` knows."""
    if isinstance(value, list) and spec.name == op.lone_option and len(value) > 1:
        named = dict(zip(op.by_position, value, strict=False))
        if len(named) == len(value) and all(_fits(op.options[n], v) for n, v in named.items()):
            return f"name each option: {{{', '.join(f'{n}: {v}' for n, v in named.items())}}}"
    if type(value) is int and _fits(spec, [value]):
        return f"write [{value}]"
    return _as_expression(value, spec, env)


def _as_expression(value: Any, spec: OptionSpec, env: Environment) -> str:
    """Return what to write for a name without its `$`, arithmetic outside of $(...), a `$(` that is
    not closed, braces of a template, or a number that is a fraction or a text."""
    if isinstance(value, WrittenFloat):
        return _rounded(value, spec, env)
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    if left := _LEFT.fullmatch(value):
        return f"write ${left[1] or left[2]}"
    if (infinite := _INFINITE.fullmatch(value)) and _fits(spec, float(value)):
        return f"write {infinite[1] or ''}.inf"
    as_given = value.template if isinstance(value, WrittenText) else value
    if items := _TUPLE.fullmatch(as_given):
        return f"write [{items[1]}]"
    text = as_given.replace("$", "") if isinstance(value, WrittenText) else value
    try:
        expression = parse(text)
    except ExpressionError:
        return ""
    if isinstance(expression, Variable):
        return f"write ${text}" if _fits(spec, env.get(text, FAULTY)) else ""
    if not variables(expression):
        return f"write {to_text(expression)}" if _fits(spec, _number(expression)) else ""
    return "" if choices(spec.annotation) else f"write $({to_text(expression)})"


def _rounded(value: WrittenFloat, spec: OptionSpec, env: Environment) -> str:
    """Return what to write for a fraction where a whole number is wanted: `a // b` for `a / b`."""
    whole = _whole(value.written)
    names = {name.name: env.get(name.name) for name in variables(whole)}
    if whole == value.written or None in names.values():
        return ""
    try:
        number = evaluate(whole, lambda name: names[name.name])
    except ExpressionError:
        return ""
    return f"write $({to_text(whole)})" if _fits(spec, number) else ""


def _whole(expression: Expression) -> Expression:
    """Return the expression with `//` in place of `/`."""
    match expression:
        case Negative(operand):
            return Negative(_whole(operand))
        case Arithmetic(operator, left, right):
            return Arithmetic("//" if operator == "/" else operator, _whole(left), _whole(right))
    return expression


def _number(expression: Expression) -> Any:
    """Return the number of a text that is one, `"8"` or `-1`; FAULTY for other text."""
    match expression:
        case Number(value):
            return value
        case Negative(Number(value)):
            return -value
    return FAULTY


def _fits(spec: OptionSpec, value: Any) -> bool:
    """Return whether an option takes the value of a param, as far as it is known."""
    if isinstance(value, Option):  # the default of a block's param
        value = value.value
    if value is FAULTY or isinstance(value, Dim):
        return False
    if value is None or isinstance(value, Written):
        return True
    try:
        spec.check(value)
    except ValueError:
        return False
    return True


def _run_time_size(value: Any) -> Dim | None:
    """A size known only at run time, alone or in a list."""
    items = value if isinstance(value, list) else [value]
    return next((item for item in items if isinstance(item, Dim)), None)


def _got(value: Any) -> str:
    """What came instead, where that is short, as YAML writes it."""
    words = {None: "null", True: "true", False: "false"}
    text = words[value] if value is None or isinstance(value, bool) else repr(value)
    return f", not {text}" if len(text) <= 20 else ""


def unknown_option(
    owner: str,
    name: str,
    option: Option,
    options: tuple[str, ...],
    words: tuple[str, ...],
    report: Report,
    node: str,
    operands: Collection[str] = (),
    form: Form = "node",
) -> None:
    """Report an option that the op or block does not have; `words` are a node's other keys,
    `operands` the names of its sources."""
    known = f"its options: {', '.join(options)}" if options else f"{owner} has no options"
    near = "" if name in words else report.suggestion(name, (*options, *words))
    help = ELSEWHERE.get(name) or _of_node(name, option.value, words, operands, form)
    help, message = help or near or known, f"{owner} has no option {name!r}"
    report.add(Diagnostic("unknown-option", message, option.key, help=help, node=node), name)


def _of_node(
    name: str, value: Any, words: tuple[str, ...], operands: Collection[str], form: Form
) -> str:
    """Return what to write for an option that is said of the whole node in another way."""
    if name in TRAINED and isinstance(value, bool):
        return f"leave {name} out" if value else "write freeze: true"
    if name == "with" and "repeat" in words:
        return "write it inside repeat: repeat: {with: {...}}"
    if name == "with" and form == "node":
        return "with goes with each: write each: [...] in place of from, and with gives each source a value"
    if name not in SOURCES and name not in operands:
        return ""
    if form == "item":
        return ELSEWHERE["from"]
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in names):
        return "write from: NAME, an input or a node"
    text = value if isinstance(value, str) else f"[{', '.join(names)}]"
    return f"write from: {text if name in SOURCES else f'{{{name}: {text}}}'}"


def given_twice(
    one: Mapping[str, Option], other: Mapping[str, Option], report: Report, node: str
) -> bool:
    """Report each option that a node gives and `with` gives again; return whether there is one."""
    twice = [name for name in one if name in other and name != OTHERS]
    for name in twice:
        first, second = sorted((one[name].key, other[name].key), key=lambda span: span[1:])
        labels = (Label(first, "first given here"),) if first != second else ()  # one call
        help = "write it once: inside with, a value for each, or outside, one for all"
        message = f"{name} is given twice"
        report.add(Diagnostic("duplicate-key", message, second, "", labels, help, node), name)
    return bool(twice)


def missing_options(
    owner: str,
    missing: Mapping[str, str],
    span: Span,
    report: Report,
    node: str,
    written: str = "",
) -> None:
    """Report all missing options of a node in one fault: each with its type, and the node as it
    should be `written`."""
    if not missing:
        return
    names = _and(list(missing))
    wants = [f"{name}, {what}" if what else name for name, what in missing.items()]
    help = f"give {'; and '.join(wants)}" + (f": {written}" if written else "")
    report.add(Diagnostic("missing-option", f"{owner} needs {names}", span, help=help, node=node))


def _and(words: list[str]) -> str:
    """Join words: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _by_name(op: Op) -> str:
    """Return how the options of an op that takes no lone value are written."""
    if op.inferred:
        return f"write {op.name} without a value: the input decides {', '.join(op.inferred)}"
    shown = [f"{op.name}: {{{name}: ...}}" for name in op.options]
    return f"write {' or '.join(shown[:2]) or op.name}"
