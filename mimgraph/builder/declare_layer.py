"""A layer or merge called in Python, as the declared graph has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mimgraph.builder.tracing.watched import Watched
from mimgraph.builder.user_line import fail
from mimgraph.ir.graph import Activation, Apply, Option, Take
from mimgraph.ops.registry import LayerCall, Op
from mimgraph.source import Span
from mimgraph.support.arguments import plain, shown


def declare_apply(call: LayerCall, span: Span, in_sequence: bool = False) -> Apply:
    """The call with its options by name; in a sequence a sole one by position stays alone."""
    op = call.op
    words = {"activation", "take", "freeze"} - op.options.keys()
    named = {k: v for k, v in call.keywords.items() if k not in words}
    options, lone = declare_options(op.name, op.by_position, call.args, named, span)
    if in_sequence and len(call.args) == 1 and not call.keywords and lone is None:
        lone = options.pop(next(iter(options)))
        if lone.value is None or isinstance(lone.value, dict):  # neither can stand alone in YAML
            options, lone = declare_options(op.name, op.by_position, call.args, named, span)
    activation = call.keywords.get("activation") if "activation" in words else None
    return Apply(op.kind, op.name, span, options, lone, _activation(activation, span))


def declare_options(
    owner: str,
    names: Sequence[str],
    args: tuple[Any, ...],
    named: Mapping[str, Any],
    span: Span,
) -> tuple[dict[str, Option], Option | None]:
    """Options by name; a value by position that no name takes is alone, for inference to refuse."""
    if args and not names:
        return {k: option(v, span) for k, v in named.items()}, option(args[0], span)
    if len(args) > len(names):
        taken = f"{len(names)} option{'s' if len(names) > 1 else ''}"
        message = f"{owner} takes {taken} by position, not {len(args)}"
        raise fail("wrong-type", message, span)
    positional = dict(zip(names, args, strict=False))
    twice = next((name for name in positional if name in named), None)
    if twice is not None:
        raise fail("duplicate-key", f"{twice} is given twice", span)
    return {k: option(v, span) for k, v in (*positional.items(), *named.items())}, None


def option(value: Any, span: Span) -> Option:
    """A value as an option that is written at `span`."""
    try:
        return Option(_data(value), span, span)
    except RecursionError:
        raise fail("wrong-type", "a value contains itself", span) from None


def _data(value: Any) -> Any:
    """Return plain data; the numbers of a block that is being declared keep their expressions."""
    if type(value) is Watched:
        return value.use()
    if isinstance(value, list | tuple):
        return [_data(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _data(item) for key, item in value.items()}
    return plain(value)


def declare_take(words: Mapping[str, Any], span: Span) -> Take | None:
    """The port that `take=` makes the default."""
    port = words.get("take")
    if port is None:
        return None
    if type(port) not in (str, int):
        raise fail("wrong-type", "take is a port", span)
    return Take(str(port), span)


def declare_freeze(words: Mapping[str, Any], span: Span) -> bool:
    """Whether `freeze=` keeps the node as it is."""
    freeze = words.get("freeze", False)
    if not isinstance(freeze, bool):
        raise fail("wrong-type", "freeze is true or false", span)
    return freeze


def _activation(given: Any, span: Span) -> Activation | None:
    """`"ReLU"`, `layers.ReLU`, `layers.GELU(approximate="tanh")` or `{"GELU": {...}}`."""
    if given is None:
        return None
    if isinstance(given, str | Op):
        return Activation(given if isinstance(given, str) else given.name, {}, None, span)
    if isinstance(given, LayerCall):
        call = declare_apply(given, span, in_sequence=True)
        return Activation(call.name, call.options, call.lone, span)
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, options),) = given.items()
        for word in (name, *(options if isinstance(options, Mapping) else ())):
            if not isinstance(word, str):
                message = f"the name of an activation or option is a text, not {shown(word)}"
                raise fail("wrong-type", message, span)
        if isinstance(options, Mapping):
            return Activation(name, {k: option(v, span) for k, v in options.items()}, None, span)
        return Activation(name, {}, option(options, span), span)
    raise fail("wrong-type", "activation is a layer's name, or {name: options}", span)
