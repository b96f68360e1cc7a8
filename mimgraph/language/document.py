"""A located tree to the graph it declares; what cannot be read is reported, and the rest still stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.ir.graph import (
    ANOTHER,
    FAULTY,
    OTHERS,
    Block,
    BlockInput,
    Graph,
    Input,
    InputShape,
    Node,
    Option,
    Output,
    Source,
    Template,
    Written,
)
from mimgraph.ir.names import (
    BLOCK,
    BLOCK_OUTPUT,
    INPUT,
    NODE_WORDS,
    TOP,
    class_fault,
    name_fault,
    param_fault,
)
from mimgraph.ir.types import INTEGER
from mimgraph.language.nodes import NodeReader, is_node
from mimgraph.language.reader import is_faulty, rewritten
from mimgraph.language.yaml_tree import MAX_INT, MIN_INT, Scalar, Tree, compose
from mimgraph.language.yaml_tree import Mapping as Map
from mimgraph.language.yaml_tree import Sequence as Seq
from mimgraph.source import SourceFile, Span

LANGUAGE = "1"  # the version of the language
DEFAULT_NAME = "Model"


def read(file: SourceFile, report: Report, params: Mapping[str, Any] | None = None) -> Graph | None:
    """The graph that a spec declares, with `params` in place of its own; None if it is no YAML."""
    tree = compose(file, report.add)
    if tree is None:
        return None
    if not isinstance(tree, Map):
        if not is_faulty(tree):
            report.add(Diagnostic("wrong-type", "a spec is a mapping", tree.span))
        return None
    return _SpecReader(file, report).graph(tree, params or {})


def read_value(text: str, name: str) -> Any:
    """A value as it stands in a spec, `64` or `[64, 128]`; raises `SpecError`."""
    report = Report()
    file = SourceFile(name, text)
    tree = compose(file, report.add)
    report.raise_if_any()
    return None if tree is None or not text.strip() else _SpecReader(file, report).value(tree)


class _SpecReader(NodeReader):
    def graph(self, tree: Map, overrides: Mapping[str, Any]) -> Graph:
        known = self.check_keys("a spec", tree, TOP)
        if known:
            for key in ("inputs", "nodes", "outputs"):
                if tree.get(key) is None:
                    tree = self.without_missing(key, tree)
        else:  # one of them may be meant by a key that is not known
            tree = tree.with_faulty("params", "blocks", "outputs")
        self.version(tree.get("mimgraph"))
        nodes = self.mapping("nodes", tree.get("nodes"))
        blocks = self.mapping("blocks", tree.get("blocks"))
        if blocks is None and tree.get("blocks") is not None:
            nodes = None  # what uses a block cannot be read either
        if blocks:
            self.blocks = frozenset((*(key.text for key, _ in blocks.entries), *blocks.lost))
        inputs = self.mapping("inputs", tree.get("inputs"))
        outputs = tree.get("outputs")
        if inputs is not None and not (inputs.entries or inputs.lost):
            self.wrong_type("inputs", "a mapping of at least one input", inputs)
        params = self.params(tree.get("params"), overrides)
        block_definitions = self.block_definitions(blocks) if blocks else {}
        self.lost = lost_names(inputs, nodes)
        return Graph(
            name=self.class_name(tree.get("name")),
            origin=self.origin,
            params=params,
            inputs=tuple(self.input(*entry) for entry in self.things(inputs, INPUT))
            if inputs
            else (),
            blocks=block_definitions,
            nodes=self.nodes(nodes, "") if nodes else (),
            outputs=self.outputs(outputs) if outputs is not None else (),
            doc=self.text("doc", tree.get("doc")) or "",
            lost=self.lost,
        )

    def without_missing(self, word: str, tree: Map) -> Map:
        """Report that a section is missing, and return the spec with the one that is indented into
        another section moved out."""
        for key, section in tree.entries:
            for inner, value in section.entries if isinstance(section, Map) else ():
                if inner.text == word and not (isinstance(value, Map) and is_node(value)):
                    labels = (Label(inner.span, f"this is in {key.text}"),)
                    help = f"indent {word} as {key.text} is"
                    message = f"{word} is missing"
                    fault = Diagnostic(
                        "missing-key", message, self.origin, labels=labels, help=help
                    )
                    self.report.add(fault)
                    return tree.outdented(key, inner)
        self.fault("missing-key", f"{word} is missing", self.origin, help=f"a spec needs {word}")
        return tree

    def version(self, tree: Tree | None) -> None:
        if tree is not None and not (isinstance(tree, Scalar) and tree.text == LANGUAGE):
            self.fault("bad-option", f"the language version is {LANGUAGE}", tree.span)

    def class_name(self, tree: Tree | None) -> str:
        name = self.text("name", tree)
        if name is None or tree is None:
            return DEFAULT_NAME
        reason = class_fault(name)
        if reason is not None:
            self.fault("bad-name", f"{name!r} cannot be a class name", tree.span, help=reason)
            return DEFAULT_NAME
        return name

    def params(
        self,
        tree: Tree | None,
        overrides: Mapping[str, Any] | None = None,
        reserved: tuple[str, ...] = (),
    ) -> dict[str, Option]:
        """Return the params in order, with overrides; a param whose key could not be read has a
        faulty value."""
        params = self.mapping("params", tree, _without_values(tree) if reserved else "")
        params = params or Map((), self.origin)
        lost = (OTHERS,) if tree is not None and not isinstance(tree, Map) else params.lost
        found: dict[str, Option] = {}
        for key, value in params.entries:
            reason = param_fault(key.text)
            if key.text in reserved:
                reason = f"{key.text} is a key of every node"
            if reason is not None:
                self.fault("bad-name", f"{key.text!r} cannot be a param", key.span, help=reason)
                self.misnamed.add(key.text)
            option = self.option(key, value)
            if isinstance(value, Map):
                self.wrong_type("a param", "a number, a text, true, false or a list", value)
                option = option._replace(value=FAULTY)
            if overrides and key.text in overrides:
                given = self.override(key, overrides[key.text])
                option = option._replace(value=given, part=None)
            found[key.text] = option
        for name in lost:
            found.setdefault(name, faulty_option(params.span))
        return found

    def override(self, key: Scalar, value: Any) -> Any:
        """What takes the place of a param's own value, read as if it stood there."""
        match value:
            case Written() | Template() | None | float() | bool():
                return value
            case int() if MIN_INT <= value <= MAX_INT:
                return value
            case str():
                return self.scalar(Scalar(value, key.span, value, plain=False))
            case list() | tuple():
                return [self.override(key, item) for item in value]
        message = f"{key.text} is given as {value!r}"
        help = "a param is a number of at most 64 bits, a text, true, false or a list"
        self.fault("wrong-type", message, key.span, help=help)
        return FAULTY

    def input(self, key: Scalar, tree: Tree) -> Input:
        """Return an input: without a shape if that cannot be read, with a faulty vocab if nothing
        can."""
        if isinstance(tree, Seq):
            return Input(key.text, key.span, self.shape(tree), whole=key.span.to(tree.span))
        if isinstance(tree, Map):
            return self.detailed_input(key, tree)
        help = rewritten("write [{}]", tree)
        self.wrong_type("an input", "a shape, [3, 32, 32], or a mapping", tree, help=help)
        return Input(key.text, key.span, None)

    def detailed_input(self, key: Scalar, tree: Map) -> Input:
        known = self.check_keys("an input", tree, INPUT)
        if tree.lost:
            self.lost |= {ANOTHER}
        for word, value in tree.entries if not known else ():
            if not isinstance(value, Scalar):  # another input, indented too deep
                self.lost |= {word.text}
        shape, vocab, optional = map(tree.get, ("shape", "vocab", "optional"))
        if shape is None and vocab is None and known:
            self.fault("missing-key", f"{key.text} needs a shape", key.span, help="shape: [5]")
        sizes = InputShape((), ()) if vocab is not None and known else None
        if shape is not None:
            sizes = self.input_shape(shape)
        dtype = self.input_dtype(tree.get("dtype"), vocab)
        doc = self.text("doc", tree.get("doc")) or ""
        is_optional = self.flag("optional", optional)
        is_read = optional is None or isinstance(getattr(optional, "value", None), bool)
        vocab_option = self.option(vocab, vocab) if isinstance(vocab, Scalar) else None
        if vocab is not None and vocab_option is None:
            self.wrong_type("vocab", "a number of categories", vocab)
            is_read = False
        if not (known and is_read and dtype):
            return Input(key.text, key.span, sizes, vocab=faulty_option(tree.span))
        whole = key.span.to(tree.span)
        return Input(key.text, key.span, sizes, dtype, vocab_option, doc, is_optional, whole)

    def input_shape(self, tree: Tree) -> InputShape | None:
        if isinstance(tree, Seq):
            return self.shape(tree)
        self.wrong_type("a shape", "a list of sizes", tree, help=rewritten("write [{}]", tree))
        return None

    def input_dtype(self, tree: Tree | None, vocab: Tree | None) -> str | None:
        """Return the dtype as written, or the default beside a vocab or without one."""
        dtype = self.dtype(tree, "int64" if vocab is not None else "float32")
        if vocab is None or tree is None or dtype is None or dtype in INTEGER:
            return dtype
        help = "leave dtype out, which is int64 then"
        self.fault("bad-option", "what has a vocab is integer", tree.span, help=help)
        return None

    def block_definitions(self, tree: Map) -> dict[str, Block]:
        """Return the blocks by name; one whose key could not be read is unknown."""
        found = {key.text: self.block(key, value) for key, value in self.things(tree, BLOCK)}
        for name in (*tree.lost, *self.lost_blocks):
            found.setdefault(name, Block(name, tree.span, {}, (), (), ()))
        return found

    def block(self, key: Scalar, tree: Tree) -> Block:
        """A block; an unreadable one has no outputs and no inputs."""
        empty = Block(key.text, key.span, {}, (), (), ())
        reason = name_fault(key.text)
        if reason is not None:
            self.fault("bad-name", f"{key.text!r} cannot be a block's name", key.span, help=reason)
        if not isinstance(tree, Map):
            self.wrong_type("a block", "a mapping", tree, help="{seq: [...]}, or inputs and nodes")
            return empty
        known = self.check_keys("a block", tree, BLOCK)
        if not known:  # an unknown key may be another block, indented too deep, or mean params
            words = (word.text for word, value in tree.entries if isinstance(value, Map))
            self.lost_blocks.update(word for word in words if word not in BLOCK)
            tree = tree.with_faulty("params")
        params = self.params(tree.get("params"), None, NODE_WORDS)
        inputs = self.block_inputs(tree.get("inputs"))
        has_inputs = tree.get("inputs") is not None or (known and tree.get("seq") is not None)
        if None in inputs or not has_inputs:
            params[OTHERS] = faulty_option(tree.span)  # the sizes that an input would have named
        readable = tuple(one for one in inputs if one is not None)
        doc = self.text("doc", tree.get("doc")) or ""
        if tree.get("seq") is not None:
            return self.chain_block(key, tree, params, readable, doc)
        for word in ("inputs", "nodes", "outputs"):
            if tree.get(word) is None and known:
                message = f"{key.text} needs {word}"
                self.fault("missing-key", message, key.span, help=f"give {word}, or a seq")
        return self.graph_block(key, tree, params, readable, doc)

    def graph_block(
        self,
        key: Scalar,
        tree: Map,
        params: dict[str, Option],
        inputs: tuple[BlockInput, ...],
        doc: str,
    ) -> Block:
        """Return a block that has nodes; if its nodes or inputs cannot be read, any name may be
        one."""
        nodes = self.mapping("nodes", tree.get("nodes"))
        outputs = tree.get("outputs")
        self.lost = lost_names(tree.get("inputs"), tree.get("nodes"))
        if nodes is None or not inputs:
            self.lost |= {OTHERS}
        names = tree.get("inputs")
        if isinstance(names, Seq) and len(inputs) < len(names.items):
            self.lost |= {ANOTHER}
        return Block(
            key.text,
            key.span,
            params,
            inputs,
            self.nodes(nodes, f"{key.text}.") if nodes else (),
            self.outputs(outputs, BLOCK_OUTPUT) if outputs is not None else (),
            doc=doc,
            lost=self.lost,
        )

    def chain_block(
        self,
        key: Scalar,
        tree: Map,
        params: dict[str, Option],
        inputs: tuple[BlockInput, ...],
        doc: str,
    ) -> Block:
        for word, _ in tree.entries:
            if word.text in ("nodes", "outputs"):
                help = "leave out one or the other"
                message = "a block is a seq or has nodes, not both"
                self.fault("unknown-key", message, word.span, help=help)
        value = tree.get("seq")
        assert value is not None
        if len(inputs) > 1:
            self.fault("wrong-arity", "a seq has one input", inputs[1].span)
        first = inputs[0] if inputs else BlockInput("x", key.span)
        chain = self.chain(value, key.text)
        node = Node("", key.span, chain, (Source(first.name, None, first.span),))
        output = Output("", Source("", None, value.span), value.span)
        return Block(
            key.text, key.span, params, (first,), (node,), (output,), is_chain=True, doc=doc
        )

    def block_inputs(self, tree: Tree | None) -> tuple[BlockInput | None, ...]:
        """Read `[x, g]` or `{x: [C, H, W]}`; a null pattern takes any shape, None is one that could
        not be read."""
        if tree is None:
            return ()
        if isinstance(tree, Scalar):
            return (self.named_input("inputs", tree),)
        if not (tree.entries or tree.lost if isinstance(tree, Map) else tree.items):
            self.wrong_type("inputs", "the names of at least one input", tree)
        if isinstance(tree, Seq):
            return tuple(self.named_input("an input of a block", item) for item in tree.items)
        found: list[BlockInput | None] = [None] if tree.lost else []
        for key, value in tree.entries:
            pattern = None
            if isinstance(value, Seq):
                pattern = self.shape(value)
            is_any = isinstance(value, Scalar) and value.value is None
            if pattern is None and not is_any:
                found.append(None)
            if not isinstance(value, Seq) and not is_any:
                self.wrong_type("a pattern", "a list of sizes and names", value)
            found.append(BlockInput(key.text, key.span, pattern))
        return tuple(found)

    def named_input(self, what: str, tree: Tree) -> BlockInput | None:
        """Return an input of a block that takes any shape."""
        name = self.text(what, tree)
        return BlockInput(name, tree.span) if name is not None else None


def _without_values(tree: Tree | None) -> str:
    """Return how the params of a block are written that stand there by name alone: each use
    gives them."""
    items = tree.items if isinstance(tree, Seq) else (tree,)
    names = [item.name if isinstance(item, Scalar) else None for item in items]
    return f"{{{', '.join(f'{name}: null' for name in names)}}}" if names and all(names) else ""


def faulty_option(span: Span) -> Option:
    """Return the option of a param that could not be read."""
    return Option(FAULTY, span, span)


def lost_names(*sections: Tree | None) -> frozenset[str]:
    """Return the names in these sections whose keys could not be read, and of keys with a dot the
    name that a source `head.fc` has."""
    found: set[str] = set()
    for tree in sections:
        keys = [key for key, _ in tree.entries] if isinstance(tree, Map) else []
        if isinstance(tree, Map):
            found.update(tree.lost)
        elif isinstance(tree, Seq):
            keys = [item for item in tree.items if isinstance(item, Scalar)]
        found.update(key.text.partition(".")[0] for key in keys if "." in key.text)
    return frozenset(found)
