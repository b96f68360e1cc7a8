"""Match the options in a spec to the options of an op, and compute their values at each use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from mimgraph.diagnostics import Diagnostic
from mimgraph.infer.advice.wrong_options import (
    Keys,
    by_name,
    is_positional,
    missing_options,
    refused_value,
    unknown_option,
)
from mimgraph.infer.evaluation import (
    Evaluation,
    compute,
    has_faulty,
    is_constant,
    length_of,
    origin_of,
    placed,
)
from mimgraph.ir.declared.operations import BESIDE_FROM, Activation
from mimgraph.ir.declared.values import FAULTY, OTHERS, Option
from mimgraph.ir.dims.dim import Dim
from mimgraph.ir.expression import WrittenText, identity
from mimgraph.ir.option_types import describe
from mimgraph.ops.op import Op
from mimgraph.ops.signature import OptionSpec
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
    given = _matched(op, options, lone, place, at)
    is_read = OTHERS not in options
    missing = [option for option in op.required if option.name not in given]
    is_fine = len(report.diagnostics) == before and is_read
    if missing and is_fine and not is_positional(op, lone):
        wanted = {option.name: describe(option.annotation) for option in missing}
        text = "" if place.form == "node" else with_required(op, given, place.form)
        missing_options(op.name, wanted, place.span, report, at.node, text)
    varying, literal, length = dict[str, Option](), dict[str, Option](), 0
    for name, option in given.items():
        (literal if is_constant(option.value) else varying)[name] = option
        length += length_of(option.value)
    fixed = _values(op, Values(op.defaults, (), ()), literal, at)
    faulty = len(report.diagnostics) > before or has_faulty(fixed.by_name.values()) or not is_read
    inferred = [name for name in op.inferred if name in given]
    return Bound(op, given, inferred, varying, fixed, faulty, length)


def _matched(
    op: Op, options: Mapping[str, Option], lone: Option | None, place: Place, at: Evaluation
) -> dict[str, Option]:
    """Return the options by name, including the lone value; report options that the op does not
    have."""
    given = dict(options)
    given.pop(OTHERS, None)
    if lone is not None and op.lone_option is None:
        takes = "its options by name" if op.options else "no options"
        message = f"{op.name} takes {takes}"
        fault = Diagnostic("wrong-type", message, lone.span, help=by_name(op), node=at.node)
        at.report.add(fault)
    elif lone is not None and op.lone_option is not None:
        given[op.lone_option] = lone
    if unknown := [name for name in given if name not in op.options]:
        known = (*op.options, *((BESIDE_FROM[op.name],) if op.name in BESIDE_FROM else ()))
        operands = () if op.inputs.kind == "one" else op.inputs.names
        if op.kind == "tensor":  # its source has a key of its own, or is the value of its key
            known, operands = (*known, *(name for name in operands if name == "like")), ()
        keys = Keys(known, place.words, operands, place.form)
        for name in unknown:
            unknown_option(op.name, name, given.pop(name), keys, at.report, at.node)
    return given


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
        value = compute(option.value, at)
        if value is not FAULTY:
            value = _checked(op, op.options[name], value, option, at)
        found[name] = value
        key += name, identity(value)
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


def _checked(op: Op, spec: OptionSpec, value: Any, option: Option, at: Evaluation) -> Any:
    """Return the value converted to the option's type; FAULTY if the type is wrong, which is
    reported."""
    try:
        return spec.check(value)
    except ValueError:
        span, labels = placed(option.span, origin_of(option.value, at.origins))
        at.report.add(refused_value(op, spec, value, span, labels, at))
        return FAULTY
