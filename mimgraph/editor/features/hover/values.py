"""Describe expressions and sources by their values and types at each use of the block around them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mimgraph.diagnostics import Report
from mimgraph.editor.features.hover.place import HoverPlace
from mimgraph.editor.features.uses import Scope, Use
from mimgraph.editor.features.wording import listed, result_text, type_text
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.ir.declared_graph import Apply, Call, Node, Share, Source
from mimgraph.ir.declared_values import FAULTY, Written
from mimgraph.ir.expression import ExpressionError, parse, to_text
from mimgraph.ir.typed_graph import weight_type
from mimgraph.language.keys import EVERY_KEY
from mimgraph.language.reference import explained
from mimgraph.ops.op import Op
from mimgraph.summary.node_text import value_text

_EXPRESSION = re.compile(r"\$(?:([A-Za-z_]\w*)|\(([^$]*)\))", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def expression_texts(place: HoverPlace) -> list[str] | None:
    """Return what an expression and the name in it at the place are; None if there is none."""
    scalar = place.path.scalar
    if place.path.is_key or "$" not in scalar.text:
        return None
    for match in _EXPRESSION.finditer(scalar.text):
        if place.is_in(scalar.part(*match.span())) or match[0] == scalar.text:
            place.span = scalar.part(*match.span())
            texts = [values_text(place, match[1] or match[2], match[0])]
            for name in NAME.finditer(match[2] or ""):
                start = match.start(2)
                if place.is_in(scalar.part(start + name.start(), start + name.end())):
                    place.span = scalar.part(start + name.start(), start + name.end())
                    texts.insert(0, values_text(place, name[0], name[0]))
            return texts
    return None


def values_text(place: HoverPlace, text: str, title: str) -> str:
    """Return the value of an expression, or each of its values at the uses of the block around it."""
    try:
        expression = parse(text)
    except ExpressionError:
        return ""
    scopes = place.scopes()
    written = Written(expression, place.span, lambda start, end: place.span)
    found: dict[str, str] = {}
    for scope in scopes:
        value = compute(written, Evaluation(scope.values, Report()))
        if value is not FAULTY:
            found.setdefault(value_text(value), scope.name)
    return valued(title, found) + _kind(place, to_text(expression))


def _kind(place: HoverPlace, name: str) -> str:
    """Return what kind of name an expression is."""
    if place.declared is None or not name.isidentifier():
        return ""
    if place.block is not None and name in place.block.params:
        return f"\n\nparam of the block `{place.path.texts[1]}`"
    if place.block is not None and name in place.block.sizes:
        return f"\n\nsize of an input of the block `{place.path.texts[1]}`"
    if name in place.declared.params:
        space = place.declared.params[name].space
        return "\n\nparam of the spec" + (f", searched: `{space}`" if space is not None else "")
    return ""


def source_text(place: HoverPlace, source: Source, uses: Sequence[Use]) -> str:
    """Return the type of a source at each use of the block around it."""
    scopes = {id(use.scope): use.scope for use in uses}.values() or place.scopes()
    found: dict[str, str] = {}
    for scope in scopes:
        if text := _read(scope, source):
            found.setdefault(text, scope.name)
    declared = _declared_text(place, source.name)
    return valued(source.text, found) + (f"\n\n{declared}" if declared else "")


def _declared_text(place: HoverPlace, name: str) -> str:
    """Return what a source names: an input with its doc, or a node with its op."""
    if place.declared is None:
        return ""
    if place.block is None:
        for one in place.declared.inputs:
            if one.name == name:
                return f"input{': ' + one.doc if one.doc else ''}"
    elif name in place.block.input_names:
        return "input of the block"
    nodes = place.block.nodes if place.block else place.declared.nodes
    for node in nodes:
        if node.name == name:
            return f"node, `{_op_name(node)}`"
    return ""


def _read(scope: Scope, source: Source) -> str:
    """Return the type of a source in a scope; "" if it is not known."""
    body = scope.body
    if source.name in body.inputs:
        return type_text(body.inputs[source.name])
    node = body.by_name.get(source.name)
    if node is None:
        return ""
    if source.port in (None, "*"):
        return result_text(node)
    found = node.results.get(source.port) or weight_type(node.operation, source.port)
    return "" if found is None else type_text(found)


def _op_name(node: Node) -> str:
    match node.applied:
        case Apply(name=name):
            return name
        case Call(block=block):
            return block
        case Share() as share:
            return f"shares {share.text}"
    return "seq"


# --- Markdown -------------------------------------------------------------------------------------


def valued(title: str, found: Mapping[str, str]) -> str:
    """Return a title with its value, or with each value and the use that has it."""
    if len(found) == 1:
        return f"**{title}** `{next(iter(found))}`"
    rows = listed([f"`{value}` in `{path}`" for value, path in found.items()])
    return f"**{title}**\n{rows}".rstrip()


def op_doc(op: Op) -> str:
    """Return the documentation of an op, in which a star is no emphasis: `(*, 5)` is a shape."""
    parts = op.doc.split("`")
    return "`".join(
        p if i % 2 else p.replace("*", "\\*").replace("<", "&lt;") for i, p in enumerate(parts)
    )


def key_text(name: str) -> str:
    """Return what a key of a spec means; "" if it is none."""
    key = EVERY_KEY.get(name)
    if key is None:
        return ""
    facts = f"type: {key.type}; default: {key.default}"
    return f"key `{name}`: {key.about}\n\n{facts}\n\n[language/{key.page}]({explained(key)})"
