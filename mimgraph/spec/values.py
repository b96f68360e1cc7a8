"""Values of a spec: numbers, texts, expressions, templates, shapes."""

from __future__ import annotations

import re
from typing import Any

from mimgraph.analysis.names import name_fault
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.expression import ExpressionError, parse
from mimgraph.ir.graph import FAULTY, InputShape, Option, Template, Written
from mimgraph.ir.types import DTYPES
from mimgraph.spec.compose import Scalar, Tree
from mimgraph.spec.compose import Sequence as Seq
from mimgraph.spec.reader import Reader

_BRACED = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}", re.ASCII)  # as shells write it
_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))", re.ASCII | re.DOTALL)


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
                name = _BRACED.fullmatch(value)
                help = f"write ${name[1]}" if name else ""
                self.fault("bad-expression", "write $name or $(expression)", tree.span, help=help)
                return FAULTY
            return Template(value, tree.part)
        try:
            expression = parse(value, *match.span(1 if match[1] is not None else 2))
        except ExpressionError as error:
            span = tree.part(error.start, error.end)
            self.fault(error.code, error.message, span)
            return FAULTY
        return Written(expression, tree.span, tree.part)

    def option(self, key: Scalar, tree: Tree) -> Option:
        part = tree.part if isinstance(tree, Scalar) else None
        items = tuple([item.span for item in tree.items]) if isinstance(tree, Seq) else ()
        return Option(self.value(tree), tree.span, key.span, part, items)

    def formula(self, key: Scalar, tree: Tree) -> Option:
        """A formula, in which `$name` stands for a number even at its beginning."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str) and "$" in tree.value:
            return Option(Template(tree.value, tree.part), tree.span, key.span)
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
