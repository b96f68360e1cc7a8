"""Nodes of a graph or block, what feeds them, and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mimgraph.diagnostics import Diagnostic, Label
from mimgraph.diagnostics.nearest import nearest
from mimgraph.ir.graph import (
    ANOTHER,
    BESIDE_FROM,
    OTHERS,
    Apply,
    Call,
    Chain,
    Each,
    Node,
    Operation,
    Output,
    Share,
    Source,
)
from mimgraph.ir.names import NODE_WORDS, OPS, OUTPUT
from mimgraph.language.operations import OperationReader
from mimgraph.language.reader import is_faulty
from mimgraph.language.yaml_tree import Mapping as Map
from mimgraph.language.yaml_tree import Scalar, Tree, texts
from mimgraph.language.yaml_tree import Sequence as Seq
from mimgraph.ops import registry
from mimgraph.source import Span


class NodeReader(OperationReader):
    """Reads what runs in one scope."""

    def nodes(self, tree: Map, path: str) -> tuple[Node, ...]:
        return tuple(self.node(key, value, path) for key, value in self.indented(self.things(tree)))

    def indented(self, things: Iterable[tuple[Scalar, Tree]]) -> Iterator[tuple[Scalar, Tree]]:
        """Yield the nodes, but not the keys (`layer`, `from`) that should have been indented under an
        empty node: that one is reported."""
        empty = inside = False
        for key, value in things:
            inside = empty and (key.text in NODE_WORDS or (inside and not isinstance(value, Map)))
            if inside:
                self.report.spoken.update(texts(value))
                continue
            empty = isinstance(value, Scalar) and value.value is None
            yield key, value

    def node(self, key: Scalar, tree: Tree, path: str) -> Node:
        """A node; without an operation if it could not be read."""
        here = path + key.text
        if not isinstance(tree, Map):
            help = "{layer: ..., from: ...}"
            if isinstance(tree, Scalar) and tree.value is None:
                help = f"indent what belongs to {key.text} more than its name, or write {help}"
            self.wrong_type("a node", "a mapping", tree, here, help)
            return Node(key.text, key.span, None)
        if self.is_split(tree, here):
            self.report.spoken.update(texts(tree))
            return Node(key.text, key.span, None)
        self.note_misplaced(tree)
        before = len(self.report.diagnostics)
        op = self.op_of(key, tree, here)
        if tree.get("each") is not None and tree.get("from") is not None:
            extra = next(k for k, _ in tree.entries if k.text == "from")
            message = f"{key.text} has its sources in each"
            self.fault("unknown-key", message, extra.span, node=here)
            op = None
        operation = None if op is None else self.operation(op, tree, here)
        fed_by = tree.get("from" if tree.get("each") is None else "each")
        if op is not None and op[0].text == "arange":
            fed_by = op[1]
        sources = self.sources(fed_by, here)
        if fed_by is None and op is not None and op[0].text in ("parameter", "buffer"):
            sources = ()
        if op is not None and (beside := self.beside(op, tree)) and sources is not None:
            like = self.source(beside[1], here, beside[0])
            sources = None if like is None else (*sources, like)
        take = self.take(tree.get("take"), here)
        freeze = self.freeze(tree.get("freeze"), here)
        if len(self.report.diagnostics) > before:
            self.report.spoken.update(texts(tree))
        fine = sources is not None or (fed_by is None and not tree.lost)
        fine = fine and (take is not None or tree.get("take") is None)
        whole = key.span.to(tree.span)
        return Node(key.text, key.span, operation if fine else None, sources, take, freeze, whole)

    def note_misplaced(self, tree: Map) -> None:
        """Record the nodes that ended up in this one by wrong indentation or a missing name, so
        that their keys are given twice."""
        for key, value in tree.entries:
            if isinstance(value, Map) and key.text not in NODE_WORDS and is_node(value):
                self.lost |= {key.text}
                self.report.spoken.update(texts(value))
        if tree.lost and not {"from", *OPS}.isdisjoint(tree.lost):
            self.lost |= {ANOTHER}

    def op_of(self, key: Scalar, tree: Map, here: str) -> tuple[Scalar, Tree] | None:
        """The one key that says what a node does."""
        ops = [(k, v) for k, v in tree.entries if k.text in OPS]
        if len(ops) > 1:
            self.lost |= {ANOTHER}
        for extra, _ in ops[1:]:
            self.fault(
                "unknown-key",
                f"{key.text} is a {ops[0][0].text} already",
                extra.span,
                help="a node does one thing: make two",
                node=here,
            )
        if ops:
            return ops[0] if len(ops) == 1 else None
        for other, _ in tree.entries:
            if other.text not in NODE_WORDS and nearest(other.text, OPS):
                self.unknown_key("a node", other, OPS, tree, here)
                return None
        for other, value in tree.entries:
            if other.text not in NODE_WORDS and (kind := self.kind_of(value)):
                message = f"a node has no key {other.text!r}"
                help = f"write {kind}: {value.span.excerpt().text}"
                self.fault("unknown-key", message, other.span, help=help, node=here, tree=tree)
                return None
        if tree.lost:
            return None
        self.fault(
            "missing-key",
            f"{key.text} does not say what it does",
            key.span,
            help=f"give one of {', '.join(OPS)}",
            node=here,
        )
        return None

    def kind_of(self, value: Tree) -> str:
        """Return "layer", "merge" or "block" for the name of one."""
        name = value.name if isinstance(value, Scalar) else None
        if name is None or name in self.blocks:
            return "block" if name else ""
        return next((kind for kind in ("layer", "merge") if registry.find(kind, name)), "")

    def operation(self, op: tuple[Scalar, Tree], tree: Map, here: str) -> Operation | None:
        """What a node does, on each of several sources or on its own."""
        one = self.one_operation(op, tree, here)
        each = tree.get("each")
        if each is None:
            return one
        key = next(key for key, _ in tree.entries if key.text == "each")
        options = self.mapping("with", tree.get("with"))
        if one is None or (options is None and tree.get("with") is not None):
            return None
        if isinstance(one, Apply) and one.kind == "tensor":
            self.fault("unknown-key", f"{one.name} takes no each", key.span, node=here)
            return None
        assert not isinstance(one, Each)
        entries = self.entries(options) if options else {}
        return Each(one, {k: self.option(*pair) for k, pair in entries.items()}, key.span)

    def one_operation(
        self, op: tuple[Scalar, Tree], tree: Map, here: str
    ) -> Apply | Chain | Call | Share | None:
        key, value = op
        if key.text == "seq":
            words = ("seq", *self.feeding(tree, ("take", "freeze")))
            known = self.check_keys("a seq", tree, words, here)
            chain = self.chain(value, here)
            return chain if known or tree.get("from") is not None else None
        if key.text in ("parameter", "buffer", "arange"):
            return self.tensor(key, value, tree, here)
        name = self.text(key.text, value) if key.text == "share" else self.name(key.text, value)
        if name is None:
            return None
        words = () if key.text == "share" else ("with", "take", "freeze")
        beside = self.beside(op, tree)
        own = (key.text, *self.feeding(tree, words), *((beside[0].text,) if beside else ()))
        rest = {k: entry for k, entry in self.entries(tree).items() if k not in own}
        if key.text == "share":
            return self.share(name, value, rest, here)
        if key.text == "block":
            return self.call(name, value.span, rest, here)
        return self.apply(key.text, name, value.span, rest, here)

    def beside(self, op: tuple[Scalar, Tree], tree: Map) -> tuple[Scalar, Tree] | None:
        """Return the key of a second source that stands beside `from`, and that source."""
        key, value = op
        name = BESIDE_FROM.get(value.text) if isinstance(value, Scalar) else None
        if key.text != "layer" or name is None or tree.get("each") is not None:
            return None
        return next((entry for entry in tree.entries if entry[0].text == name), None)

    def feeding(self, tree: Map, words: tuple[str, ...]) -> tuple[str, ...]:
        """The keys that say what feeds a node, and those of the words that are no options: `with`
        is one beside `each`, which has a value for each."""
        each = tree.get("each") is not None
        return ("from", *(("each",) if each else ()), *(w for w in words if each or w != "with"))

    def sources(self, tree: Tree | None, here: str) -> tuple[Source, ...] | None:
        """One source, a list, or a mapping by argument; None where one cannot be read."""
        if tree is None or (isinstance(tree, Map) and tree.lost):
            return None
        if isinstance(tree, Scalar):
            pairs: list[tuple[Scalar | None, Tree]] = [(None, tree)]
        elif isinstance(tree, Seq):
            pairs = [(None, item) for item in tree.items]
        else:
            pairs = list(tree.entries)
        found = [self.source(value, here, key) for key, value in pairs]
        complete = [source for source in found if source is not None]
        return tuple(complete) if len(complete) == len(found) else None

    def source(self, tree: Tree, here: str, argument: Scalar | None = None) -> Source | None:
        text = tree.name if isinstance(tree, Scalar) else None
        if text is None and isinstance(tree, Scalar) and tree.text in self.lost:
            text = tree.text  # the key of the node is no text either
        if text is None:
            self.wrong_type("a source", "an input, a node or node.port", tree, here)
            return None
        name, dot, port = text.partition(".")
        return Source(
            name,
            port if dot else None,
            tree.span,
            argument.text if argument else None,
            argument.span if argument else None,
        )

    def outputs(self, tree: Tree, words: tuple[str, ...] = OUTPUT) -> tuple[Output, ...]:
        """Return the outputs of a source, a list, or `{public_name: source}`, where a source may be
        a mapping; one that cannot be read may be anything."""
        if isinstance(tree, Scalar):
            source = self.source(tree, "")
            return (Output(source.name, source, tree.span) if source else unread(tree.span),)
        if not (tree.entries or tree.lost if isinstance(tree, Map) else tree.items):
            self.wrong_type("outputs", "a source, a list of them, or {name: source}", tree)
            return (unread(tree.span),)
        if isinstance(tree, Map):
            named = [self.named_output(key, value, words) for key, value in tree.entries]
            return (*named, unread(tree.span)) if tree.lost else tuple(named)
        found: dict[str, Output] = {}
        for item in tree.items:
            output = self.listed_output(item, words)
            if output.name in found and output.name != OTHERS:
                first = Label(found[output.name].span, "first given here")
                self.report.add(
                    Diagnostic(
                        "duplicate-name",
                        f"{output.name} is an output already",
                        output.span,
                        labels=(first,),
                    ),
                    output.name,
                )
                continue
            found[output.name] = output
        return tuple(found.values())

    def listed_output(self, tree: Tree, words: tuple[str, ...]) -> Output:
        if isinstance(tree, Map) and len(tree.entries) == 1:
            return self.named_output(*tree.entries[0], words)
        source = self.source(tree, "")
        if source is not None and source.port is not None and source.name not in self.lost:
            help = f"{{{source.port}: {source.name}.{source.port}}}"
            if source.port == "*":
                help = f"name each port: {{a: {source.name}.a, b: {source.name}.b}}"
            self.fault(
                "wrong-type", "a port in a list needs a name", tree.span, help=help, tree=tree
            )
            return unread(tree.span)
        return Output(source.name, source, tree.span) if source else unread(tree.span)

    def named_output(self, key: Scalar, tree: Tree, words: tuple[str, ...]) -> Output:
        """`name: source`, or `name: {from: source, only: training, doc: ...}`."""
        said: Map = tree if isinstance(tree, Map) else Map((), tree.span)
        training = False
        if isinstance(tree, Map):
            what = "an output" if words == OUTPUT else "an output of a block"
            known = self.check_keys(what, tree, words)
            only, found = tree.get("only"), tree.get("from")
            training = isinstance(only, Scalar) and only.value == "training"
            if only is not None and not training and not is_faulty(only):
                self.fault("bad-option", "only is training", only.span, tree=only)
            if found is None:
                if known:
                    help = f"{key.text}: {{from: ...}}"
                    self.fault("missing-key", f"{key.text} needs from", key.span, help=help)
                return unread(key.span, key.text)
            tree = found
        source = self.source(tree, "")
        if not (key.text.isascii() and key.text.isidentifier()):
            help = "a name is letters, digits and underscores, and starts with no digit"
            message = f"{key.text!r} cannot be an output's name"
            self.fault("bad-name", message, key.span, help=help, tree=tree)
            return unread(key.span, key.text)
        if source is None:
            return unread(key.span, key.text)
        doc = self.text("doc", said.get("doc")) or ""
        return Output(key.text, source, key.span, training, doc, key.span.to(said.span))


def is_node(tree: Map) -> bool:
    """Return whether a mapping says what a node does."""
    return any(key.text in OPS for key, _ in tree.entries)


def unread(span: Span, name: str = OTHERS) -> Output:
    """Return an output whose source could not be read, and may be any node."""
    return Output(name, Source(OTHERS, None, span), span)
