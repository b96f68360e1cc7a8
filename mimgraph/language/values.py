"""Values of a spec: numbers, texts, expressions, templates, shapes."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import Any

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.nearest import nearest
from mimgraph.infer.options import COUNTED, LONGEST
from mimgraph.ir.expression import ExpressionError, Number, Variable, parse, to_text
from mimgraph.ir.foreign import PLAIN, explained
from mimgraph.ir.graph import FAULTY, InputShape, Option, Template, Written
from mimgraph.ir.names import name_fault
from mimgraph.ir.types import DTYPES
from mimgraph.language.reader import Reader
from mimgraph.language.yaml_tree import Mapping as Map
from mimgraph.language.yaml_tree import Scalar, Tree
from mimgraph.language.yaml_tree import Sequence as Seq
from mimgraph.source import Span

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))", re.ASCII | re.DOTALL)


def _in_parentheses(text: str) -> str:
    """Return what a text that begins with `$` probably means: all of it in one `$(...)`."""
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


def _is_open(scalar: Scalar) -> bool:
    """Whether it is a text without quotes, in which a parenthesis is not closed."""
    return scalar.plain and scalar.text.count("(") > scalar.text.count(")")


def _end_of_split(tree: Map, index: int) -> Span | None:
    """Return where the parentheses of the text at `index` are closed, if keys without a value
    follow it up to there."""
    text = tree.entries[index][1]
    assert isinstance(text, Scalar)
    depth = text.text.count("(") - text.text.count(")")
    for key, value in islice(tree.entries, index + 1, None):
        if not (key.plain and isinstance(value, Scalar) and value.value is None):
            return None
        depth += key.text.count("(") - key.text.count(")")
        if depth <= 0:
            return key.span
    return None


def _is_within(outer: Span, fault: Diagnostic) -> bool:
    span = fault.span
    return span.file is outer.file and outer[1:3] <= span[1:3] and span[3:5] <= outer[3:5]


class ValueReader(Reader):
    """Reads what stands behind a key."""

    def value(self, tree: Tree) -> Any:
        """Plain data, with `Written` for `$...` and `Template` for text that has `$name` in it."""
        if isinstance(tree, Scalar):
            return self.scalar(tree)
        if isinstance(tree, Seq):
            return [self.value(item) for item in tree.items]
        if tree.lost:
            return FAULTY
        return {key.text: self.value(value) for key, value in tree.entries}

    def scalar(self, tree: Scalar) -> Any:
        value = tree.value
        if not isinstance(value, str) or "$" not in value:
            return value
        match = _DOLLAR.fullmatch(value)
        if match is None:
            if value[0] == "$" and value[1:] in self.misnamed:
                return FAULTY
            if value[0] == "$":
                message, help = "write $name or $(expression)", _in_parentheses(value)
                self.fault("bad-expression", message, tree.span, help=help)
                return FAULTY
            return Template(value, tree.part)
        try:
            expression = parse(value, *match.span(1 if match[1] is not None else 2))
        except ExpressionError as error:
            error = explained(error, value, PLAIN)
            span = tree.part(error.start, error.end)
            self.fault(error.code, error.message, span, help=error.help)
            return FAULTY
        return Written(expression, tree.span, tree.part)

    def is_split(self, tree: Map, node: str) -> bool:
        """Report a text that a comma split inside of its parentheses, as happens without quotes,
        and return whether it was one."""
        for index, (_, value) in enumerate(tree.entries):
            if not (isinstance(value, Scalar) and "(" in value.text):  # as of most
                continue
            last = _end_of_split(tree, index) if _is_open(value) else None
            if last is not None:
                span = value.span.to(last)
                self.report.drop(partial(_is_within, span))
                text = span.excerpt().text
                help = (
                    f'quote it: "{text}"'
                    if len(text) <= LONGEST and '"' not in text
                    else "quote it"
                )
                message = "a comma ends a text that is not quoted"
                self.fault("bad-expression", message, span, help=help, node=node)
                return True
        return False

    def option(self, key: Scalar, tree: Tree) -> Option:
        part = tree.part if isinstance(tree, Scalar) else None
        items = tuple([item.span for item in tree.items]) if isinstance(tree, Seq) else ()
        return Option(self.value(tree), tree.span, key.span, part, items)

    def formula(self, key: Scalar, tree: Tree) -> Option:
        """A formula, in which `$name` stands for a number even at its beginning."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str) and "$" in tree.value:
            template = Template(tree.value, tree.part, COUNTED)
            return Option(template, tree.span, key.span, tree.part)
        return self.option(key, tree)

    def shape(self, tree: Seq) -> InputShape | None:
        """Sizes, names and expressions; None if one cannot be read."""
        dims: list[Any] = []
        for item in tree.items:
            value = self.value(item)
            if isinstance(value, str):
                reason = name_fault(value) if value != "N" else "N is the batch"
                if reason is not None:
                    self.fault("bad-name", f"{value!r} cannot name a size", item.span, help=reason)
                    value = FAULTY
            elif type(value) is int and value < 1:
                self.fault("bad-option", "a size is at least 1", item.span)
                value = FAULTY
            elif type(value) is not int and not isinstance(value, Written) and value is not FAULTY:
                self.wrong_type("a size", "an integer or a name", item)
                value = FAULTY
            dims.append(value)
        if FAULTY in dims:
            return None
        return InputShape(tuple(dims), tuple(item.span for item in tree.items))

    def dtype(self, tree: Tree | None, default: str) -> str | None:
        if tree is None:
            return default
        name = self.text("dtype", tree)
        if name is None:
            return None
        if name not in DTYPES:
            near = nearest(name, DTYPES)
            help = f"did you mean {near}?" if near else f"one of {', '.join(DTYPES)}"
            self.fault("bad-option", f"no dtype is called {name!r}", tree.span, help=help)
            return None
        return name
