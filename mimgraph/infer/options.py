"""Match the options given to an op, compute their values, and report invalid ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.nearest import nearest
from mimgraph.diagnostics.text import SEQ, code, did_you_mean, drop, put, remove, words, write
from mimgraph.infer.evaluation import (
    LONGEST,
    Environment,
    Evaluation,
    as_yaml,
    compute,
    has_faulty,
    is_constant,
    length_of,
    placed,
)
from mimgraph.ir.declared_graph import BESIDE_FROM, Activation
from mimgraph.ir.declared_values import FAULTY, OTHERS, Option, Written
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import (
    PLAIN_TYPES,
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
    to_text,
    variables,
)
from mimgraph.ir.option_types import choices, requirement
from mimgraph.ops.op import Op, OptionSpec
from mimgraph.ops.spelling import Form, with_required
from mimgraph.source import Span


class Values(NamedTuple):
    """Every option's value at one use, defaults included.

    Equal `key`s mean equal values that were computed from equal expressions; `run_time` are the
    sizes among the values that are known only at run time, by option.
    """

    by_name: Mapping[str, Any]
    key: Hashable
    run_time: Sequence[tuple[str, Dim]]


class Bound(NamedTuple):
    """The given options of an op, checked once: `varying` ones are computed at each use, `fixed` has
    the values of the others, `inferred` are the options whose values also follow from the
    sources."""

    op: Op
    given: Mapping[str, Option]
    inferred: Sequence[str]
    varying: Mapping[str, Option]
    fixed: Values
    faulty: bool
    length: int  # in characters
    activation: Activation | None = None


class Place(NamedTuple):
    """The place of an op in the text: the span of its name, how it is written, the node's other
    keys."""

    span: Span
    form: Form
    words: tuple[str, ...] = ()


def bind(
    op: Op, options: Mapping[str, Option], lone: Option | None, place: Place, at: Evaluation
) -> Bound:
    """Match the given options to the op's, and compute the values that are the same at every
    use."""
    report = at.report
    before = len(report.diagnostics)
    is_read = OTHERS not in options
    given = {**options}
    given.pop(OTHERS, None)
    if lone is not None and op.lone_option is not None:
        given[op.lone_option] = lone
    elif lone is not None:
        takes = "its options by name" if op.options else "no options"
        message = f"{op.name} takes {takes}"
        at.fault("wrong-type", message, lone.span, help=by_name(op))
    if not given.keys() <= op.options.keys():
        _drop_unknown(op, given, place, at)
    missing = [option for option in op.required if option.name not in given]
    is_fine = len(report.diagnostics) == before and is_read
    if missing and is_fine and not is_positional(op, lone):
        wanted = {option.name: requirement(option.annotation) for option in missing}
        text = with_required(op, given, place.form)
        if place.form == "node":
            shown = ", ".join(f"{option.name}: {op.shown(option.name)}" for option in missing)
            text = "" if "..." in shown else put(shown)
        missing_options(op.name, wanted, place.span, report, at.node, text)
    varying, literal, length = dict[str, Option](), dict[str, Option](), 0
    for name, option in given.items():
        (literal if is_constant(option.value) else varying)[name] = option
        length += length_of(option.value)
    fixed = _values(op, Values(op.defaults, (), ()), literal, at)
    faulty = len(report.diagnostics) > before or has_faulty(fixed.by_name.values()) or not is_read
    inferred = [name for name in op.inferred if name in given]
    return Bound(op, given, inferred, varying, fixed, faulty, length)


def _drop_unknown(op: Op, given: dict[str, Option], place: Place, at: Evaluation) -> None:
    """Report options that the op does not have, and drop them."""
    known = (*op.options, *((BESIDE_FROM[op.name],) if op.name in BESIDE_FROM else ()))
    operands = () if op.inputs.kind == "one" else op.inputs.names
    if op.kind == "tensor":  # its source has a key of its own, or is the value of its key
        known, operands = (*known, *(name for name in operands if name == "like")), ()
    keys = Keys(known, place.words, operands, place.form)
    for name in [name for name in given if name not in op.options]:
        unknown_option(op.name, name, given.pop(name), keys, at.report, at.node)


def values(bound: Bound, at: Evaluation) -> Values | None:
    """Return every option's value at this use, defaults included; None if one is faulty."""
    if not bound.varying:
        return None if bound.faulty else bound.fixed
    found = _values(bound.op, bound.fixed, bound.varying, at)
    return None if bound.faulty or has_faulty(found.by_name.values()) else found


def _values(op: Op, others: Values, given: Mapping[str, Option], at: Evaluation) -> Values:
    """Return the values `others` and the values of the given options; a faulty one is reported and
    becomes FAULTY."""
    found, key, run_time = {**others.by_name}, [others.key], [*others.run_time]
    for name, option in given.items():
        value, spec = compute(option.value, at), op.options[name]
        if value is not FAULTY:
            try:
                value = spec.check(value)
            except ValueError:
                span, labels = placed(option.span, option.value, at.origins)
                at.report.add(refused_value(op, spec, value, span, labels, at))
                value = FAULTY
        found[name] = value
        key += name, identity(value)
        if type(value) not in PLAIN_TYPES:
            run_time += [(name, size) for size in _run_time_sizes(value)]
    return Values(found, tuple(key), run_time)


def _run_time_sizes(value: Any) -> list[Dim]:
    """Return the sizes in a value that are known only at run time."""
    if isinstance(value, Dim):
        return [value]
    if isinstance(value, WrittenText):
        return _run_time_sizes([*value.values.values()])
    if isinstance(value, list | tuple):
        return [size for item in value for size in _run_time_sizes(item)]
    return []


# Report options that are unknown, missing, given twice or of a wrong type, with the help.


# the help for keys of the language that are given as options
ELSEWHERE = {
    "from": f"remove {drop('it')}: an item of a {SEQ} reads the one before it",
    "repeat": "only a block can be repeated: put it in one",
    "activation": "only a layer or a merge takes an activation",
    "batch_first": f"remove {drop('it')}: it is always {code('true')} here",
    "carry": f"only a scan carries: {code('{scan: BLOCK, over: x, carry: {h: h0}}')}",
    "trust_remote_code": f"remove {drop('it')}: mimgraph never runs the code of a repository",
    "batch_dim": f"only an output has it: {code('outputs: {y: {from: NODE, batch_dim: 1}}')}",
    "like": f"only a node with Cast takes it, as a second source: {code('{layer: Cast, from: ..., like: ...}')}",
}
STEP_KEYS = ("index", "collect")  # keys of `repeat`
# what Keras, numpy and libraries of models call the options of others
KERAS = {
    "axis": "dim",
    "epsilon": "eps",
    "filters": "out_channels",
    "pretrained": "weights",
    "rate": "p",
    "units": "out_features",
    "use_bias": "bias",
    "weights": "pretrained",
}
TRAINED = ("trainable", "requires_grad")
SOURCES = ("input", "inputs", "source", "sources")  # names of `from` in other formats

# a name as a template writes it
_TEMPLATE = re.compile(r"\{+\s*([A-Za-z_]\w*)\s*\}+|[%@]\(?([A-Za-z_]\w*)(?:\)[a-z]|@)", re.ASCII)
_SOURCES = re.compile(r"\bfrom: *([\w.]+(?:, *[\w.]+)+)(?!\w* *:)")
_TUPLE = re.compile(r"\(([^()]*,[^()]*?),?\s*\)")
_INFINITE = re.compile(r"(-)?\+?inf(?:inity)?", re.IGNORECASE)


class Keys(NamedTuple):
    """The names that may be meant by an unknown option: the options, the other keys of a node, and
    the sources; `form` is how the op or block is written."""

    options: tuple[str, ...]
    words: tuple[str, ...]
    operands: Collection[str]
    form: Form


def unknown_option(
    owner: str, name: str, option: Option, keys: Keys, report: Report, node: str
) -> None:
    """Report an option that an op or block, the `owner`, does not have."""
    known = f"its options: {', '.join(keys.options)}" if keys.options else f"{owner} has no options"
    near = "" if name in keys.words else report.suggestion(name, (*keys.options, *keys.words))
    if KERAS.get(name) in keys.options:
        near = did_you_mean(KERAS[name])
    help = (
        _without_brackets(name, option)
        or ELSEWHERE.get(name)
        or _node_key_help(name, option.value, keys)
        or near
        or known
    )
    message = f"{owner} has no option {name!r}"
    report.add(Diagnostic("unknown-option", message, option.key, help=help, node=node), name)


def _without_brackets(name: str, option: Option) -> str:
    """Return the help for a source that YAML reads as a key: `{merge: concat, from: x, y}`."""
    if option.value is not None:
        return ""
    line, column = option.key.file.line(option.key.line), option.key.column - 1
    lists = (found for found in _SOURCES.finditer(line) if found.start() < column < found.end())
    return next(
        (f"put several sources in brackets: {code(f'from: [{found[1]}]')}" for found in lists), ""
    )


def _node_key_help(name: str, value: Any, keys: Keys) -> str:
    """Return the help for an option that is meant as another key of the node: `input: x`."""
    if name in TRAINED and isinstance(value, bool):
        return remove(name) if value else write("freeze: true")
    if name == "shared" and isinstance(value, bool):
        inside = code("repeat: {times: 3, shared: true}")
        return f"write it inside repeat, {inside}, or next to {code('each: [...]')}"
    if name in STEP_KEYS:
        written = "true" if value is True else value
        return f"only repeat has it: {code(f'repeat: {{times: 3, {name}: {written}}}')}"
    if name == "with" and "repeat" in keys.words:
        return f"write it inside repeat: {code('repeat: {with: {...}}')}"
    if name == "with" and keys.form == "node":
        return f"with goes with each: write {code('each: [...]')} instead of from, and with gives each source a value"
    if name not in SOURCES and name not in keys.operands:
        return ""
    if keys.form == "item":
        return ELSEWHERE["from"]
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in names):
        return f"write {code('from: NAME')}, an input or a node"
    text = value if isinstance(value, str) else f"[{', '.join(names)}]"
    named = text if name in SOURCES else f"{{{name}: {text}}}"
    return write(f"from: {named}")


def given_twice(
    one: Mapping[str, Option], other: Mapping[str, Option], report: Report, node: str
) -> bool:
    """Report each option that a node gives both itself and in `with`; return whether there is one."""
    twice = [name for name in one if name in other and name != OTHERS]
    for name in twice:
        first, second = sorted((one[name].key, other[name].key), key=lambda span: span[1:])
        labels = (Label(first, "first given here"),) if first != second else ()  # one Python call
        help = f"write it once: inside with, a value for each, or outside, {drop('one for all')}"
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
    """Report all missing options of a node as one fault; `missing` describes the value of each, and
    `written` is an example of them, or of the node with them."""
    wants = [f"{name}, {what}" if what else name for name, what in missing.items()]
    help = f"give {'; and '.join(wants)}" + (f", such as {written}" if written else "")
    message = f"{owner} needs {_and(list(missing))}"
    report.add(Diagnostic("missing-option", message, span, help=help, node=node))


def _and(words: list[str]) -> str:
    """Join words: `a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def by_name(op: Op) -> str:
    """Return how to write the options of an op that takes no lone value."""
    if op.inferred:
        written = put(op.name, f"layers.{op.name}()")
        return f"write {written}: the input decides {', '.join(op.inferred)}"
    shown = [code(f"{op.name}: {{{name}: ...}}") for name in op.options]
    return f"write {' or '.join(shown[:2]) or put(op.name)}"


def is_positional(op: Op, lone: Option | None) -> bool:
    """Return whether a lone value lists several options, `Conv2d: [8, 3]`; it is refused as a value of
    the first, so that the others are not reported as missing."""
    if lone is None or not isinstance(lone.value, list) or op.lone_option is None:
        return False
    return is_constant(lone.value) and not _fits(op.options[op.lone_option], lone.value)


# values of a wrong type


def refused_value(
    op: Op, spec: OptionSpec, value: Any, span: Span, labels: tuple[Label, ...], at: Evaluation
) -> Diagnostic:
    """Return the fault of a value that an option does not take."""
    items = value if isinstance(value, list) else [value]
    size = next((item for item in items if isinstance(item, Dim)), None)
    if size is not None:
        message = f"{spec.name} must be a number, but it is {size}"
        note, help = f"{size} is known only at run time", "give this size in the input's shape"
        return Diagnostic("symbolic-size", message, span, note, labels, help, at.node)
    wants = requirement(spec.annotation)
    message = f"{spec.name} of {op.name} must be {wants}{_got(value)}"
    near = nearest(value, choices(spec.annotation)) if isinstance(value, str) else None
    help = did_you_mean(near) if near else _value_help(op, spec, value, at.env)
    return Diagnostic("bad-option", message, span, labels=labels, help=help, node=at.node)


def _got(value: Any) -> str:
    """Return the refused value as YAML writes it, if that is short."""
    text = as_yaml(value)
    return f", not {text}" if len(text) <= 20 else ""


def _computed(item: Any, env: Environment) -> str | None:
    """Return an item of a list as it is written that lacks its `$`: `$H` for H, `$(8 * H)` for 8*H; None
    for another item."""
    if not isinstance(item, str) or len(item) > LONGEST:
        return None
    try:
        expression = parse(item)
    except ExpressionError:
        return None
    names = [variable.name for variable in variables(expression)]
    if not names or not all(name in env for name in names):
        return None
    return f"${item}" if isinstance(expression, Variable) else f"$({to_text(expression)})"


def _value_help(op: Op, spec: OptionSpec, value: Any, env: Environment) -> str:
    """Return the help for a list with the values of several options, for a number in place of a
    list, or for arithmetic in another notation."""
    if isinstance(value, list) and spec.name == op.lone_option and len(value) > 1:
        named = dict(zip(op.by_position, value, strict=False))
        if len(named) == len(value) and all(_fits(op.options[n], v) for n, v in named.items()):
            options = ", ".join(f"{n}: {v}" for n, v in named.items())
            return f"name each option: {words(f'{{{options}}}', options.replace(': ', '='))}"
    written = [_computed(item, env) for item in value] if isinstance(value, list) else []
    if any(written):
        items = ", ".join(one or str(item) for one, item in zip(written, value, strict=True))
        return write(f"[{items}]")
    if type(value) is int and _fits(spec, [value]):
        return write(f"[{value}]")
    return _as_expression(value, spec, env)


def _as_expression(value: Any, spec: OptionSpec, env: Environment) -> str:
    """Return the help for a name without its `$`, arithmetic outside of `$(...)`, an unclosed `$(`,
    the braces of a template, a fraction, or a number in quotes."""
    if isinstance(value, WrittenFloat):
        return _rounded(value, spec, env)
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    if left := _TEMPLATE.fullmatch(value):
        return write(f"${left[1] or left[2]}")
    if (infinite := _INFINITE.fullmatch(value)) and _fits(spec, float(value)):
        return write((infinite[1] or "") + ".inf")
    as_given = value.template if isinstance(value, WrittenText) else value
    if items := _TUPLE.fullmatch(as_given):
        return write(f"[{items[1]}]")
    if not isinstance(value, WrittenText) and value[:1] == "$":  # a spec never gives such a text
        return "in Python read a size from a tensor: x.dims[0]"
    text = as_given.replace("$", "") if isinstance(value, WrittenText) else value
    try:
        expression = parse(text)
    except ExpressionError:
        return ""
    if isinstance(expression, Variable):
        return write(f"${text}") if _fits(spec, env.get(text, FAULTY)) else ""
    if not variables(expression):
        return write(to_text(expression)) if _fits(spec, _number(expression)) else ""
    return "" if choices(spec.annotation) else write(f"$({to_text(expression)})")


def _rounded(value: WrittenFloat, spec: OptionSpec, env: Environment) -> str:
    """Return the help for a fraction in place of an integer: `a // b` for `a / b`."""
    whole = _floored(value.written)
    names = {name.name: env.get(name.name) for name in variables(whole)}
    if whole == value.written or None in names.values():
        return ""
    try:
        number = evaluate(whole, lambda name: names[name.name])
    except ExpressionError:
        return ""
    return write(f"$({to_text(whole)})") if _fits(spec, number) else ""


def _floored(expression: Expression) -> Expression:
    """Return the expression with `//` in place of `/`."""
    match expression:
        case Negative(operand):
            return Negative(_floored(operand))
        case Arithmetic(operator, left, right):
            operator = "//" if operator == "/" else operator
            return Arithmetic(operator, _floored(left), _floored(right))
    return expression


def _number(expression: Expression) -> Any:
    """Return the value of an expression that is a number, `8` or `-1`; FAULTY for another
    expression."""
    match expression:
        case Number(value):
            return value
        case Negative(Number(value)):
            return -value
    return FAULTY


def _fits(spec: OptionSpec, value: Any) -> bool:
    """Return whether an option takes the value of a param; True if that value is unknown."""
    if isinstance(value, Option):  # the default of a block's param
        value = value.value
    if value is FAULTY or isinstance(value, Dim):
        return False
    if value is None or isinstance(value, Written):
        return True
    return spec.accepts(value)
