"""Read values: numbers, texts, flags, `$` expressions and options."""

from __future__ import annotations

import re
from typing import Any

from mimgraph.infer.evaluation import LONGEST
from mimgraph.ir.declared_values import FAULTY, Option, Template, Written, closing
from mimgraph.ir.expression import (
    PLAIN,
    ExpressionError,
    Number,
    Variable,
    explained,
    parse,
    to_text,
)
from mimgraph.language.reader.context import Context
from mimgraph.language.reader.mappings import Entry
from mimgraph.language.yaml_tree.tree import Scalar, Sequence, Tree
from mimgraph.source import Span

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))", re.ASCII | re.DOTALL)


def is_expression(text: str) -> bool:
    """Return whether a text is `$name` or one `$(...)`, and not `$(a)*T + $(b)`."""
    match = _DOLLAR.fullmatch(text)
    return match is not None and (match[2] is None or closing(text, 2) in (2, len(text) - 1))


def read_text(context: Context, what: str, tree: Tree | None) -> str | None:
    """Return a text; None if there is none, or something else, which is reported."""
    if isinstance(tree, Scalar) and tree.name is not None:
        return tree.name
    if tree is not None:
        context.wrong_type(what, "a string", tree, help=as_written('quote it: "{}"', tree))
    return None


def read_flag(
    context: Context, what: str, tree: Tree | None, node: str = "", wants: str = "true or false"
) -> bool | None:
    """Return `true` or `false`, which is the default; None for something else, which is reported as not
    what `what` wants."""
    if tree is None:
        return False
    if isinstance(tree, Scalar) and isinstance(tree.value, bool):
        return tree.value
    context.wrong_type(what, wants, tree, node)
    return None


def read_switch(
    context: Context, what: str, tree: Tree | None, node: str = "", wants: str = "true or false"
) -> bool | Written | None:
    """Return `true`, `false`, which is the default, or the `$` expression of a param that decides;
    None for something else, which is reported."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str) and tree.value.startswith("$"):
        value = read_scalar(context, tree)
        return value if isinstance(value, Written) else None
    return read_flag(context, what, tree, node, wants)


def as_written(form: str, tree: Tree) -> str:
    """Return a help with the text of a scalar in it: `write [5]` for `5` or `(5)`; "" for others."""
    is_word = isinstance(tree, Scalar) and tree.value not in (None, FAULTY)
    return form.format(tree.text.strip("()")) if is_word and isinstance(tree, Scalar) else ""


def read_value(context: Context, tree: Tree) -> Any:
    """Return plain data, with a `Written` for `$...` and a `Template` for a text with `$name` in it."""
    if isinstance(tree, Scalar):
        return read_scalar(context, tree)
    if isinstance(tree, Sequence):
        return [read_value(context, item) for item in tree.items]
    if tree.lost:
        return FAULTY
    return {key.text: read_value(context, value) for key, value in tree.entries}


def read_scalar(context: Context, tree: Scalar) -> Any:
    """Return the value of a scalar, with its expression read if it is one."""
    value = tree.value
    if not isinstance(value, str) or "$" not in value:
        return value
    match = _DOLLAR.fullmatch(value)
    if match is None:
        if value[0] == "$" and value[1:] in context.misnamed:
            return FAULTY
        if value[0] == "$":
            message = "a value that begins with $ must be $name or $(expression)"
            help = _in_parentheses(value)
            context.fault("bad-expression", message, tree.span, help=help)
            return FAULTY
        return Template(value, tree.part)
    try:
        expression = parse(value, *match.span(1 if match[1] is not None else 2))
    except ExpressionError as error:
        error = explained(error, value, PLAIN)
        span = tree.part(error.start, error.end)
        context.fault(error.code, error.message, span, help=error.help)
        return FAULTY
    return Written(expression, tree.span, tree.part)


def _in_parentheses(text: str) -> str:
    """Return how to write a text that begins with `$` and is no expression: all in one `$(...)`."""
    inside = re.sub(r"[${}]", " ", text).strip()
    if _DOTTED.fullmatch(inside):
        return f"write ${inside.rpartition('.')[2]}"
    if inside.startswith("(") and inside.count("(") > inside.count(")"):
        inside = inside[1:]
    try:
        expression = parse(inside[:LONGEST])
    except ExpressionError:
        return ""
    if isinstance(expression, Variable):
        return f"write ${expression.name}"
    if isinstance(expression, Number) or len(inside) > LONGEST:
        return ""
    return f"write $({to_text(expression)})"


def read_option(context: Context, key: Scalar, tree: Tree) -> Option:
    """Return an option: its value, and where it and its items stand."""
    # only a text has parts to point at; the method keeps its scalar alive
    part = tree.part if isinstance(tree, Scalar) and isinstance(tree.value, str) else None
    items = tuple([item.span for item in tree.items]) if isinstance(tree, Sequence) else ()
    return Option(read_value(context, tree), tree.span, key.span, part, items)


def read_options(context: Context, entries: dict[str, Entry]) -> dict[str, Option]:
    """Return the options by name."""
    return {name: read_option(context, *entry) for name, entry in entries.items()}


def read_formula(context: Context, key: Scalar, tree: Tree) -> Option:
    """Return the `expr` of a formula: a `$name` or `$(...)` in it stands for a number, even at the
    start of the text."""
    if isinstance(tree, Scalar) and isinstance(tree.value, str) and "$" in tree.value:
        template = Template(tree.value, tree.part, formula=True)
        return Option(template, tree.span, key.span, tree.part)
    return read_option(context, key, tree)


def faulty_option(span: Span) -> Option:
    """Return the option in place of one that could not be read."""
    return Option(FAULTY, span, span)
