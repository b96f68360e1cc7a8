"""Declare a layer or merge that Python code calls: its options, activation, `take`, `over`, training."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any, TypeVar

from mimgraph.builder.user_line import raise_faults, spec_error
from mimgraph.builder.watched import Watched
from mimgraph.declare.tree import Scalar, Tree, scalar_of, tree_of
from mimgraph.declare.uses import CommonOptions, read_activation, read_common_options
from mimgraph.declare.values import Context
from mimgraph.diagnostics import Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.evaluation import in_formula
from mimgraph.ir.declared_graph import Activation, Apply, Each, Operation
from mimgraph.ir.declared_values import Option
from mimgraph.ir.dim import Dim
from mimgraph.ir.expression import LIMIT, WrittenText
from mimgraph.ir.grammar import TRAINING
from mimgraph.ops import registry
from mimgraph.ops.layer_call import NODE_OPTIONS, LayerCall, is_source
from mimgraph.ops.op import Op
from mimgraph.ops.spelling import torch_layer
from mimgraph.source import Span
from mimgraph.support.arguments import plain, shown

T = TypeVar("T")

_WORDS = frozenset(NODE_OPTIONS)
_ATOMS = frozenset((bool, float, str, type(None)))


def declare_apply(call: LayerCall, span: Span, in_sequence: bool = False) -> Apply:
    """Return the declared operation, with its options by name.

    In a sequence a sole option by position stays without its name: `{Linear: 64}`.
    """
    op, args = call.op, call.args
    if call.keywords:
        refuse_name(f"{op.kind}s.{op.name}", call.keywords, op.options, span)
    named = _without_words(op, call.keywords)
    if op.inputs.kind == "named" and args and isinstance(args[0], str):
        numbers = {k: v for k, v in call.keywords.items() if k in TRAINING}
        text, rest = _formula_of_numbers(args[0], {**named, **numbers}, op)
        named = _without_words(op, rest)
        args = (text, *args[1:])
    if args:
        _check_order(op, args, call.keywords, span)
    options, lone = declare_options(op.name, op.python_positional, args, named, span)
    if in_sequence and len(call.args) == 1 and not call.keywords and lone is None:
        lone = options.pop(next(iter(options)))
        if lone.value is None or isinstance(lone.value, dict):  # YAML reads neither as a lone value
            options, lone = declare_options(op.name, op.python_positional, call.args, named, span)
    activation = None if "activation" in op.options else call.keywords.get("activation")
    return Apply(op.kind, op.name, span, options, lone, declare_activation(activation, span))


def _without_words(op: Op, keywords: Mapping[str, object]) -> dict[str, object]:
    """Return the keywords that are no words of any node, or are options of the op too."""
    return {k: v for k, v in keywords.items() if k in op.options or k not in _WORDS}


def _check_order(op: Op, args: tuple[object, ...], named: Mapping[str, object], span: Span) -> None:
    """Report options that are written as torch takes them: `Permute(0, 2, 1)` without a list, and
    `Conv2d(3, 16, 3)`, which begins with a size that is inferred."""
    if (
        len(args) > 1
        and len(op.by_position) == 1
        and op.options[op.by_position[0]].accepts([*args])
    ):
        message = f"{op.name} takes {op.by_position[0]} as one list"
        raise spec_error("wrong-type", message, span, f"write layers.{op.name}({[*args]})")
    fault = position_fault(op.name, op.python_positional, args, named) if op.inferred else None
    if fault is not None:
        data = [option(value, span).value for value in args]
        by_name = {name: option(value, span).value for name, value in named.items()}
        raise spec_error(*fault, span, written_right(op, data, by_name))


def _formula_of_numbers(
    text: str, named: Mapping[str, object], op: Op
) -> tuple[str, Mapping[str, object]]:
    """Return a formula with the numbers and sizes that keywords give, `n=x.dims[0]`, and the other
    keywords."""
    template, values = text, dict[str, Any]()
    for name, value in named.items():
        if name not in op.options and _is_number(value):
            template, count = re.subn(rf"(?<![\w$.]){name}(?!\w)", f"${name}", template)
            values |= {name: _data(value)} if count else {}
    if not values:
        return text, named
    shown = re.sub(r"\$(\w+)", lambda match: in_formula(values[match[1]]), template)
    rest = {name: value for name, value in named.items() if name not in values}
    return WrittenText(shown, template, values), rest


def _is_number(value: object) -> bool:
    """Return whether a value is a number or a size; a watched one is not looked at."""
    if type(value) is Watched or isinstance(value, Dim):
        return True
    value = value if is_source(value) else plain(value)
    if isinstance(value, int):
        return not isinstance(value, bool) and -LIMIT <= value < LIMIT
    return isinstance(value, float) and isfinite(value)


def refuse_name(
    owner: str, given: Mapping[str, object], options: Collection[str], span: Span
) -> None:
    """Raise an error for a `name`, or a keyword that is similar to it, beside the options: Keras'
    `Dense(8, name="fc")`."""
    others = [key for key in given if key not in options]
    known = [*options, *NODE_OPTIONS, "name"] if others else []
    key = next((key for key in others if nearest(key, known) == "name"), None)
    if key is None:
        return
    text = json.dumps(given[key]) if isinstance(given[key], str) else "..."
    help = f"name the result of the second call: {owner}(...)(x, name={text})"
    if owner.startswith("merges."):
        help = f"did you mean name? {owner}(..., name={text})"
    message = f"{owner.rpartition('.')[2]} has no option {key!r}"
    raise spec_error("unknown-option", message, span, help)


def declare_options(
    owner: str,
    names: Sequence[str],
    args: tuple[object, ...],
    named: Mapping[str, object],
    span: Span,
) -> tuple[dict[str, Option], Option | None]:
    """Return the options by name, and the value by position of an op without options by position.

    Inference refuses that value.
    """
    if args and not names:
        return {k: option(v, span) for k, v in named.items()}, option(args[0], span)
    if fault := position_fault(owner, names, args, named):
        raise spec_error(*fault, span)
    positional = zip(names, args, strict=False)
    return {k: option(v, span) for k, v in (*positional, *named.items())}, None


def option(value: object, span: Span) -> Option:
    """Return the value as an option that is written at `span`."""
    try:
        return Option(_data(value), span, span)
    except RecursionError:
        raise spec_error("wrong-type", "a value contains itself", span) from None
    except OverflowError:
        raise spec_error("too-large", "a number of more than 64 bits", span) from None


def _data(value: Any) -> Any:
    """Return the value as plain data; numbers that a block's function was given become expressions."""
    if type(value) in _ATOMS:  # as most are
        return value
    if type(value) is Watched:
        return value.use()
    if isinstance(value, list | tuple):
        return [_data(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _data(item) for key, item in value.items()}
    found = plain(value)
    if type(found) is int and not -LIMIT <= found < LIMIT:
        raise OverflowError
    return found


def data_tree(value: object, span: Span) -> Tree:
    """Return a value as the tree that a spec has for it."""
    data = option(value, span).value
    if "$" in str(data):
        help = "in Python read a size from a tensor: x.dims[0]"
        raise spec_error("wrong-type", f"a $ has no meaning in Python: {data!r}", span, help)
    return tree_of(data, span)


def entries_of(words: Mapping[str, object], span: Span) -> dict[str, tuple[Scalar, Tree]]:
    """Return words as the entries that a spec has for them."""
    return {name: (scalar_of(name, span), data_tree(value, span)) for name, value in words.items()}


def as_declared(span: Span, read: Callable[[Context], T]) -> T:
    """Return what `read` makes of values given at a line of Python; raise the faults that it reports."""
    report = Report()
    found = read(Context(report, span))
    raise_faults(report, span)
    return found


def declare_words(words: Mapping[str, object], span: Span) -> CommonOptions:
    """Return the words `take`, `over`, `freeze`, `lr`, ... that are given; None counts as not given,
    except for `freeze`."""
    given = {k: value for k, value in words.items() if value is not None or k == "freeze"}
    entries = entries_of(given, span)
    return as_declared(span, lambda context: read_common_options(context, entries, ""))


def declare_activation(given: object, span: Span) -> Activation | None:
    """Return the activation that is given in one of these ways.

    The ways are `"ReLU"`, `layers.ReLU`, `layers.GELU(approximate="tanh")`, `{"GELU": {...}}`, and torch's
    own `nn.ReLU`, `nn.GELU(approximate="tanh")` and `F.relu`.
    """
    if given is None:
        return None
    if isinstance(given, str | Op):
        return Activation(given if isinstance(given, str) else given.name, {}, None, span)
    if isinstance(given, LayerCall):
        call = declare_apply(given, span, in_sequence=True)
        return Activation(call.name, call.options, call.lone, span)
    found = torch_activation(given)
    if found is not None:
        name, options = found
        given = {name: options} if options else name
    elif not isinstance(given, Mapping):
        help = 'activation="ReLU", layers.ReLU, nn.ReLU or F.relu; with options {"GELU": {...}}'
        raise spec_error("wrong-type", f"no activation is {shown(given)}", span, help)
    tree = data_tree(given, span)
    return as_declared(span, lambda context: read_activation(context, tree, ""))


def position_fault(
    owner: str, names: Sequence[str], args: Sequence[object], named: Mapping[str, object]
) -> tuple[DiagnosticCode, str] | None:
    """Return the code and message for too many options by position, or for one given twice."""
    if len(args) > len(names):
        taken = f"{len(names)} option{'s' if len(names) > 1 else ''} by position, not {len(args)}"
        return "wrong-type", f"{owner} takes {taken if names else 'its options by name'}"
    twice = next((name for name in names[: len(args)] if name in named), None)
    return ("duplicate-key", f"{twice} is given twice") if twice else None


def written_right(op: Op, args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the help for plain data by position: the calls that may be meant, in torch's order and in ours."""
    calls = [_call(op, order, args, named) for order in (op.torch_order, op.by_position)]
    inferred = [name for name in op.torch_order[: len(args)] if name in op.computed]
    if calls[0] and inferred:
        verb = "is" if len(inferred) == 1 else "are"
        calls[0] += f": {' and '.join(inferred)} {verb} inferred from the input"
    meant = "; or ".join(filter(None, calls))
    return f"write {meant}" if meant else f"by position: {', '.join(op.python_positional)}"


def _call(op: Op, order: Sequence[str], args: Sequence[Any], named: Mapping[str, Any]) -> str:
    """Return the call with the values in this order; "" if the op does not take them so."""
    given = dict(zip(order, args, strict=False))
    own = {name: value for name, value in named.items() if name in op.options}
    options = {name: value for name, value in given.items() if name not in op.computed} | own
    if (
        len(args) > len(order)
        or not given.keys().isdisjoint(own)
        or not all(op.options[name].accepts(value) for name, value in options.items())
        or any(option.name not in options for option in op.required)
    ):
        return ""
    written = [shown(options.pop(name)) for name in op.python_positional]
    written += [f"{name}={shown(value)}" for name, value in options.items()]
    written += ["..."] if len(own) < len(named) else []
    return f"layers.{op.name}({', '.join(written)})"


def torch_activation(given: object) -> tuple[str, dict[str, Any]] | None:
    """Return the name and the options of the layer that a class, module or function of torch stands for;
    None for anything else.

    A module with weights is refused by a `TypeError`: the compiled model would have others.
    """
    if isinstance(given, type):
        return (given.__name__, {}) if _is_module(given) else None
    if _is_module(type(given)):
        return _of_module(given)
    name = getattr(given, "__name__", "")
    op = torch_layer(name) if _is_of_torch(given) else None
    return None if op is None else (op.name, {})


def _is_module(given: type) -> bool:
    return any(
        base.__name__ == "Module" and base.__module__ == "torch.nn.modules.module"
        for base in given.__mro__
    )


def _is_of_torch(given: object) -> bool:
    """Return whether this is a function of torch; a built-in one, `torch.tanh`, names no module."""
    home = getattr(given, "__module__", None) or type(getattr(given, "__self__", None)).__module__
    return callable(given) and f"{home}.".startswith(("torch.", "builtins."))


def _of_module(given: Any) -> tuple[str, dict[str, Any]]:
    name = type(given).__name__
    if next(given.parameters(), None) is not None:
        message = f"an activation has its own weights: write layers.{name}, not the module"
        raise TypeError(f"{message} {given!r}")
    op = torch_layer(name)
    return name, {} if op is None else _options(op, given)


def _options(op: Op, given: Any) -> dict[str, Any]:
    """Return the options of a torch module that differ from the defaults."""
    values = {key: plain(getattr(given, key)) for key in op.options if hasattr(given, key)}
    return {key: value for key, value in values.items() if value != op.defaults[key]}


def own_options(operation: Operation) -> Collection[str]:
    """Return the options of a layer or merge, and of a formula the numbers that keywords give."""
    applied = operation.operation if isinstance(operation, Each) else operation
    if not isinstance(applied, Apply):
        return ()
    op = registry.find(applied.kind, applied.name)
    if op is None:
        return ()
    texts = (one.value for one in applied.named.values() if op.inputs.kind == "named")
    numbers = [name for text in texts if isinstance(text, WrittenText) for name in text.values]
    return {*op.options, *numbers}
