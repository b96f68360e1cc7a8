"""Declare how the weights of a layer that Python code calls are trained: `freeze`, `lr`, `weight_decay`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from mimgraph.builder.declare_layer import option
from mimgraph.builder.user_line import spec_error
from mimgraph.ir.declared_graph import Apply, Each, Operation, Training
from mimgraph.ir.expression import WrittenText
from mimgraph.ir.names import TRAINING
from mimgraph.ops import registry
from mimgraph.source import Span
from mimgraph.support.arguments import as_plain

UNTIL = "until "


def declare_freeze(options: Mapping[str, object], span: Span) -> bool:
    """Return whether `freeze=` keeps all weights as they are; False for `"until layer3"`."""
    freeze = as_plain("freeze", options.get("freeze", False))
    if isinstance(freeze, str) and freeze.startswith(UNTIL):
        return False
    if not isinstance(freeze, bool):
        message = 'freeze is True or False, or "until" and a child: "until layer3"'
        raise spec_error("wrong-type", message, span)
    return freeze


def declare_training(
    options: Mapping[str, object], operation: Operation, span: Span
) -> Training | None:
    """Return the words among the options that the operation does not take itself; None if there are
    none."""
    own = _own_options(operation)
    return with_words({k: v for k, v in options.items() if k not in own}, None, span)


def with_words(words: Mapping[str, object], before: Training | None, span: Span) -> Training | None:
    """Return the words `before` with those that are given in their places; None takes one away."""
    training = Training() if before is None else before
    for name in TRAINING:
        if name in words:
            given = None if words[name] is None else option(words[name], span)
            training = training.with_word(name, given)
    if "lora" in words:
        lora = words["lora"]
        parts = lora if isinstance(lora, Mapping) else {}
        parts = {str(name): option(value, span) for name, value in parts.items()}
        training = replace(training, lora_parts=parts)
    if "freeze" in words:
        text = as_plain("freeze", words["freeze"])
        child = text.removeprefix(UNTIL).strip() if isinstance(text, str) else None
        training = replace(training, freeze_until=None if child is None else option(child, span))
    return training if training.given else None


def _own_options(operation: Operation) -> Collection[str]:
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
