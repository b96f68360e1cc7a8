"""Say in Markdown what stands at a place: an op, an option, a source, a param, a size, a key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mimgraph.diagnostics import Report
from mimgraph.editor.analysis import Analysis
from mimgraph.editor.features.node_facts import Facts, cost_text, node_facts
from mimgraph.editor.features.tree_path import TreePath, contains, path_to
from mimgraph.editor.features.uses import Scope, Use, Uses
from mimgraph.editor.features.wording import listed, options_of, result_text, type_text
from mimgraph.editor.manual_address import MANUAL
from mimgraph.infer.evaluation import Evaluation, compute
from mimgraph.ir.declared.graph import Block, Node, Source
from mimgraph.ir.declared.operations import Apply, Call, Share
from mimgraph.ir.declared.values import FAULTY, Written
from mimgraph.ir.dims.dim import Dim, symbols
from mimgraph.ir.expression import ExpressionError, parse, to_text
from mimgraph.ir.option_types import describe as describe_type
from mimgraph.ir.typed.graph import weight_type
from mimgraph.language.reference.entries import EVERY_KEY, default, explained
from mimgraph.ops import registry
from mimgraph.ops.op import Op
from mimgraph.source import Span
from mimgraph.summary.node_text import value_text

_EXPRESSION = re.compile(r"\$(?:([A-Za-z_]\w*)|\(([^$]*)\))", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Hover(NamedTuple):
    """A text in Markdown on what a span is."""

    span: Span
    text: str


def hover(
    analysis: Analysis, uses: Uses | None, facts: Facts, line: int, column: int
) -> Hover | None:
    """Return a description of the thing at a place; None where there is none."""
    path = path_to(analysis.tree, line, column)
    if path is None:
        return None
    finder = _Finder(analysis, uses, facts, path, line, column)
    texts = [text for text in finder.texts() if text]
    return Hover(finder.span, "\n\n".join(texts)) if texts else None


class _Finder:
    """Finds the paragraphs for one place."""

    def __init__(
        self,
        analysis: Analysis,
        uses: Uses | None,
        facts: Facts,
        path: TreePath,
        line: int,
        column: int,
    ) -> None:
        self.declared = analysis.declared
        self.uses, self.facts, self.path = uses, facts, path
        self.line, self.column = line, column
        self.span = path.scalar.span
        self.node, self.block = self._around()

    def _around(self) -> tuple[Node | None, Block | None]:
        """Return the innermost node and the block at the place."""
        if self.declared is None:
            return None, None
        keys = self.path.texts
        in_block = keys[:1] == ("blocks",) and len(keys) > 1
        block = self._block_of(keys[1]) if in_block else None
        if in_block and block is None:
            return None, None
        nodes = block.nodes if block is not None else self.declared.nodes
        if block is not None and block.is_chain and nodes and nodes[0].applied:
            nodes = nodes[0].applied.items
        found = None
        while True:
            inner = next((one for one in nodes if self._is_in(one.whole or one.span)), None)
            if inner is None:
                return found, block
            found, nodes = inner, inner.applied.items if inner.applied else ()

    def _block_of(self, key: str) -> Block | None:
        assert self.declared is not None
        return self.declared.blocks.get(key)

    def _is_in(self, span: Span | None) -> bool:
        return (
            span is not None
            and span.file is self.span.file
            and contains(span, self.line, self.column)
        )

    def texts(self) -> Iterator[str]:
        """Yield the paragraphs."""
        if (name := self._expression()) is not None:
            yield from name
        elif self.node is not None:
            yield from self._in_node(self.node)
        else:
            yield from self._in_section()

    # expressions

    def _expression(self) -> list[str] | None:
        """Return what an expression and the name in it at the place are; None if there is none."""
        scalar = self.path.scalar
        if self.path.is_key or "$" not in scalar.text:
            return None
        for match in _EXPRESSION.finditer(scalar.text):
            if self._is_in(scalar.part(*match.span())) or match[0] == scalar.text:
                self.span = scalar.part(*match.span())
                texts = [self._values(match[1] or match[2], match[0])]
                for name in _NAME.finditer(match[2] or ""):
                    start = match.start(2)
                    if self._is_in(scalar.part(start + name.start(), start + name.end())):
                        self.span = scalar.part(start + name.start(), start + name.end())
                        texts.insert(0, self._values(name[0], name[0]))
                return texts
        return None

    def _values(self, text: str, title: str) -> str:
        """Return the value of an expression, or each of its values at the uses of the block around it."""
        try:
            expression = parse(text)
        except ExpressionError:
            return ""
        scopes = self._scopes()
        written = Written(expression, self.span, lambda start, end: self.span)
        found: dict[str, str] = {}
        for scope in scopes:
            value = compute(written, Evaluation(scope.values, Report()))
            if value is not FAULTY:
                found.setdefault(value_text(value), scope.path.rstrip("."))
        return _valued(title, found) + self._kind(to_text(expression))

    def _kind(self, name: str) -> str:
        """Return what kind of name an expression is."""
        if self.declared is None or not name.isidentifier():
            return ""
        if self.block is not None and name in self.block.params:
            return f"\n\nparam of the block `{self.path.texts[1]}`"
        if self.block is not None and name in self.block.sizes:
            return f"\n\nsize of an input of the block `{self.path.texts[1]}`"
        if name in self.declared.params:
            return "\n\nparam of the spec"
        return ""

    def _scopes(self) -> Sequence[Scope]:
        """Return the uses of the block around the place, or the graph."""
        if self.uses is None:
            return ()
        if self.block is not None:
            return self.uses.blocks.get(self.block.family, ())
        return (self.uses.graph,)

    # nodes

    def _in_node(self, node: Node) -> Iterator[str]:
        uses = self.uses.of(node) if self.uses else []
        applied = node.applied
        is_op = isinstance(applied, Apply | Call) and self.span == applied.span
        if is_op or self.span == node.span:
            yield from self._op(node, uses)
        elif source := self._source(node.sources or ()):
            yield self._source_text(source, uses)
        elif isinstance(applied, Share) and self._is_in(applied.span):
            yield self._source_text(Source(applied.target, None, applied.span), uses)
        elif node.take is not None and self._is_in(node.take.span):
            yield self._port(node, node.take.port, uses)
        elif isinstance(applied, Apply) and self._is_activation(applied):
            yield from _op_text(registry.find("layer", self.path.scalar.text))
        elif argument := self._argument(node.sources or ()):
            yield self._source_text(argument, uses)
        elif (text := self._option(node, uses) or self._param(node)) is not None:
            yield text
        elif self.path.is_key:
            yield _key_text(self.path.scalar.text)
        else:
            yield _key_text(self.path.texts[-1]) if self.path.keys else ""

    def _op(self, node: Node, uses: Sequence[Use]) -> Iterator[str]:
        """Describe a node: its op with documentation, types, options, cost and emitted lines."""
        applied = node.applied
        result = f" → `{result_text(uses[0].node)}`" if uses else ""
        name = node.name if self.span == node.span or not node.name.isdigit() else ""
        title = f"**{name}**" if name and not name.isdigit() else ""
        match applied:
            case Apply():
                op = registry.find(applied.kind, applied.name)
                kind = f"{applied.kind} `{applied.name}`"
            case Call():
                op, kind = None, f"block `{applied.block}`"
            case Share():
                op, kind = None, f"shares `{applied.text}`"
            case _:
                op, kind = None, "chain" if applied else "node"
        yield f"{title} {kind}{result}".strip()
        if isinstance(applied, Call) and self.declared and applied.block in self.declared.blocks:
            yield self.declared.blocks[applied.block].doc
        yield from _op_text(op, titled=False)
        yield from node_facts(self.facts, uses)

    def _source(self, sources: Iterable[Source]) -> Source | None:
        """Return the source at the place."""
        return next((one for one in sources if self._is_in(one.span)), None)

    def _source_text(self, source: Source, uses: Sequence[Use]) -> str:
        """Return the type of a source at each use of the block around it."""
        scopes = {id(use.scope): use.scope for use in uses}.values() or self._scopes()
        found: dict[str, str] = {}
        for scope in scopes:
            if text := _read(scope, source):
                found.setdefault(text, scope.path.rstrip("."))
        declared = self._declared_text(source.name)
        return _valued(source.text, found) + (f"\n\n{declared}" if declared else "")

    def _declared_text(self, name: str) -> str:
        """Return what a source names: an input with its doc, or a node with its op."""
        if self.declared is None:
            return ""
        if self.block is None:
            for one in self.declared.inputs:
                if one.name == name:
                    return f"input{': ' + one.doc if one.doc else ''}"
        elif name in self.block.input_names:
            return "input of the block"
        nodes = self.block.nodes if self.block else self.declared.nodes
        for node in nodes:
            if node.name == name:
                return f"node, `{_op_name(node)}`"
        return ""

    def _port(self, node: Node, port: str, uses: Sequence[Use]) -> str:
        """Return the type of a port of a node."""
        found: dict[str, str] = {}
        for use in uses:
            if port in use.node.results:
                found.setdefault(type_text(use.node.results[port]), use.path)
        return _valued(f"{node.name}.{port}", found) if found else _key_text("take")

    def _is_activation(self, applied: Apply) -> bool:
        return applied.activation is not None and self._is_in(applied.activation.span)

    def _argument(self, sources: Iterable[Source]) -> Source | None:
        """Return the source that fills the argument at the place, under the argument's name."""
        for one in sources:
            if one.argument is not None and self._is_in(one.argument_span):
                return one
        return None

    def _param(self, node: Node) -> str | None:
        """Return what the param of a block is that the use of the block gives at the place."""
        applied = node.applied
        if not isinstance(applied, Call) or self.declared is None:
            return None
        block = self.declared.blocks.get(applied.block)
        name = next(
            (text for text in reversed(self.path.texts) if block and text in block.params), None
        )
        if block is None or name is None:
            return None
        value = compute(block.params[name].value, Evaluation({}, Report()))
        has = "required" if value is None else f"default `{value_text(value)}`"
        return f"param `{name}` of the block `{applied.block}`" + (
            "" if value is FAULTY else f", {has}"
        )

    def _option(self, node: Node, uses: Sequence[Use]) -> str | None:
        """Return what an option is and its value; None if there is none at the place."""
        applied = node.applied
        if not isinstance(applied, Apply):
            return None
        op = registry.find(applied.kind, applied.name)
        name = next((text for text in reversed(self.path.texts) if op and text in op.options), None)
        lone = applied.lone
        if name is None and lone is not None and self._is_in(lone.span) and op is not None:
            name = op.lone_option
        if op is None or name is None or name not in op.options:
            return None
        spec = op.options[name]
        given = default(spec)
        words = given if given in ("inferred", "required") else f"default `{given}`"
        text = f"option `{name}` of `{op.name}`: {describe_type(spec.annotation)}, {words}"
        values: dict[str, str] = {}
        for use in uses:
            for option in options_of(use.node):
                if option.name == name:
                    values.setdefault(value_text(option.value), use.path)
        return f"{_valued(name, values)}\n\n{text}" if values else text

    # outside of nodes

    def _in_section(self) -> Iterator[str]:
        keys = self.path.texts
        section, is_key = keys[0] if keys else "", self.path.is_key
        if len(keys) < 2 and not (section == "outputs" and not is_key):
            yield _key_text(section) if keys else ""
        elif section == "inputs":
            yield self._input(keys)
        elif section == "params":
            if is_key and len(keys) == 2:
                yield self._values(keys[1], keys[1])
        elif section == "outputs" and self.declared is not None:
            source = self._source(one.source for one in self.declared.outputs)
            yield self._source_text(source, ()) if source else _last_key(keys)
        elif section == "blocks" and self.block is not None:
            yield from self._in_block(self.block, keys)
        elif section == "parts" and self.declared is not None and len(keys) == 2:
            block = self.declared.blocks.get(keys[1])
            if block is not None:
                self.block = block
                yield from self._block_text(block, keys[1])
        elif is_key:
            yield _key_text(keys[-1])

    def _in_block(self, block: Block, keys: tuple[str, ...]) -> Iterator[str]:
        """Yield what stands in a block outside of its nodes."""
        inner = keys[2:]
        if not inner:
            yield from self._block_text(block, keys[1])
        elif inner[0] == "params" and len(inner) == 2:
            yield self._values(inner[1], inner[1])
        elif inner[0] == "inputs" and (len(inner) > 1 or not self.path.is_key):
            yield self._block_input(block, inner)
        elif inner[0] == "outputs" and (source := self._source(o.source for o in block.outputs)):
            yield self._source_text(source, ())
        elif self.path.is_key:
            yield _key_text(inner[-1])

    def _block_text(self, block: Block, name: str) -> Iterator[str]:
        """Describe a block: its doc, and its uses with the result and cost of each."""
        yield f"block `{name}`"
        yield block.doc
        rows = []
        for scope in self._scopes():
            results = ", ".join(type_text(one) for one in scope.body.results.values())
            cost = cost_text(self.facts.of_body(scope.body))
            shown = f" → `{results}`" if results else ""
            rows.append(f"`{scope.path.rstrip('.')}`{shown}{': ' + cost if cost else ''}")
        yield listed(rows)

    def _block_input(self, block: Block, inner: tuple[str, ...]) -> str:
        text = self.path.scalar.text
        if text in block.sizes and not (self.path.is_key and text in block.input_names):
            return self._values(text, text)
        name = inner[1] if len(inner) > 1 else text
        found: dict[str, str] = {}
        for scope in self._scopes():
            if name in scope.body.inputs:
                found.setdefault(type_text(scope.body.inputs[name]), scope.path.rstrip("."))
        return _valued(name, found)

    def _input(self, keys: tuple[str, ...]) -> str:
        """Return what an input of the graph is, or the size of it at the place."""
        assert self.declared is not None or self.uses is None
        types = self.uses.graph.body.inputs if self.uses else {}
        name, scalar = keys[1], self.path.scalar
        if self.path.is_key and len(keys) == 2:
            doc = (
                next((o.doc for o in self.declared.inputs if o.name == name), "")
                if self.declared
                else ""
            )
            found = {type_text(types[name]): ""} if name in types else {}
            return _valued(name, found) + f"\n\ninput{': ' + doc if doc else ''}"
        if not self.path.is_key and keys[-1] in (name, "shape"):
            return self._size(scalar.text)
        return _key_text(keys[-1]) if len(keys) > 2 else ""

    def _size(self, text: str) -> str:
        """Return which inputs have a size, and what must hold for it at run time."""
        names = _NAME.findall(text)
        if not names or self.uses is None:
            return ""
        typed = self.facts.analysis.known_types
        name = names[0]
        inputs = [
            f"`{key}` `{type_text(type_)}`"
            for key, type_ in self.uses.graph.body.inputs.items()
            if any(isinstance(size, Dim) and name in symbols(size) for size in type_.shape)
        ]
        lines = [f"**{name}** size known at run time, of {', '.join(inputs) or 'no input'}"]
        constraints = typed.constraints if typed else ()
        for one in constraints:
            if name in symbols(one.dim):
                lines.append(f"- `{one}`")
        return "\n".join(lines)


def _valued(title: str, found: Mapping[str, str]) -> str:
    """Return a title with its value, or with each value and the use that has it."""
    if len(found) == 1:
        return f"**{title}** `{next(iter(found))}`"
    rows = listed([f"`{value}` in `{path}`" for value, path in found.items()])
    return f"**{title}**\n{rows}".rstrip()


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


def _op_text(op: Op | None, titled: bool = True) -> Iterator[str]:
    """Yield the documentation of an op, and its page."""
    if op is not None:
        if titled:
            yield f"{op.kind} `{op.name}`"
        yield _markdown(op.doc)


def _markdown(text: str) -> str:
    """Return a docstring in which a star is no emphasis: `(*, 5)` is a shape."""
    parts = text.split("`")
    return "`".join(
        p if i % 2 else p.replace("*", "\\*").replace("<", "&lt;") for i, p in enumerate(parts)
    )


def _last_key(keys: Sequence[str]) -> str:
    return _key_text(keys[-1]) if keys else ""


def _key_text(name: str) -> str:
    """Return what a key of a spec means; "" if it is none."""
    key = EVERY_KEY.get(name)
    if key is None:
        return ""
    page = explained(key).removeprefix("docs/").removesuffix(".md")
    facts = f"type: {key.type}; default: {key.default}"
    return f"key `{name}`: {key.about}\n\n{facts}\n\n[{page}]({MANUAL}{page}.html)"
