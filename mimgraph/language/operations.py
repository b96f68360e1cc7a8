"""What a node or an item of a chain does: layers, merges, blocks, shares, chains, and their options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mimgraph.infer.options import LONGEST
from mimgraph.ir.graph import (
    OTHERS,
    Activation,
    Apply,
    Call,
    Chain,
    Chosen,
    Node,
    Operation,
    Option,
    Repeat,
    Share,
    Take,
    Written,
)
from mimgraph.ir.names import OPS, REPEAT
from mimgraph.language.reader import is_faulty, rewritten, unreadable
from mimgraph.language.values import ValueReader
from mimgraph.language.yaml_tree import Mapping as Map
from mimgraph.language.yaml_tree import Scalar, Tree
from mimgraph.language.yaml_tree import Sequence as Seq
from mimgraph.ops import registry
from mimgraph.source import Span


class OperationReader(ValueReader):
    """Reads one operation."""

    def name(self, what: str, tree: Tree) -> str | None:
        """The name of a layer, merge or block, or the param that gives it."""
        text = self.text(what, tree)
        if text is None or not text.startswith("$") or not isinstance(tree, Scalar):
            return text
        written = self.scalar(tree)
        return Chosen(text, written) if isinstance(written, Written) else None

    def share(
        self, name: str, value: Tree, rest: Mapping[str, tuple[Scalar, Tree]], here: str
    ) -> Share | None:
        for word, _ in rest.values():
            if word.value == OTHERS:
                continue
            help = "a share has the options and words of what it shares"
            self.fault(
                "unknown-option", "a share takes no options", word.span, help=help, node=here
            )
        target, dot, item = name.partition(".")
        return None if rest else Share(target, value.span, item if dot else None)

    def apply(
        self,
        kind: str,
        name: str,
        span: Span,
        rest: Mapping[str, tuple[Scalar, Tree]],
        here: str,
        lone: Option | None = None,
    ) -> Apply | None:
        """A layer or merge with its options; the catalogue decides later which are legal."""
        activation = None
        is_formula = (kind, name) == ("merge", "formula")
        options = {
            key: self.formula(*pair) if is_formula and key == "expr" else self.option(*pair)
            for key, pair in rest.items()
            if key != "activation"
        }
        if "activation" in rest:
            activation = self.activation(rest["activation"][1], here)
            if activation is None:
                options[OTHERS] = self.option(*unreadable(span))
        return Apply(kind, name, span, options, lone, activation)

    def tensor(self, key: Scalar, value: Tree, tree: Map, here: str) -> Apply | None:
        """A tensor of the model, its shape behind the key; of an `arange`, what it counts."""
        own = (key.text, "take", "freeze")
        rest = {k: entry for k, entry in self.entries(tree).items() if k not in own}
        if key.text == "arange":
            if "from" in rest:
                message = "an arange has its source behind its key"
                self.fault("unknown-key", message, rest["from"][0].span, node=here)
                return None
            return self.apply("tensor", key.text, key.span, rest, here)
        rest.pop("from", None)  # which it does not take, as inference tells
        if "shape" in rest:
            message = f"{key.text} has its shape behind its key"
            self.fault("unknown-option", message, rest["shape"][0].span, node=here)
            return None
        if not isinstance(value, Seq) and "$" not in getattr(value, "text", ""):
            self.wrong_type("a shape", "a list of sizes", value, here)
            return None
        return self.apply("tensor", key.text, key.span, {"shape": (key, value), **rest}, here)

    def activation(self, tree: Tree, here: str) -> Activation | None:
        """`ReLU`, or `{GELU: {approximate: tanh}}`."""
        if isinstance(tree, Scalar) and tree.name is not None:
            name = self.name("activation", tree)
            return Activation(name, {}, None, tree.span) if name is not None else None
        if isinstance(tree, Map) and len(tree.entries) == 1:
            key, value = tree.entries[0]
            options, lone = self.item_options(key, value)
            name = self.name("activation", key)
            given = {k: self.option(*o) for k, o in options.items()}
            return Activation(name, given, lone, key.span) if name is not None else None
        help = _activation_help(tree)
        self.wrong_type("activation", "a layer's name, or {name: options}", tree, here, help)
        return None

    def item_options(
        self, key: Scalar, value: Tree
    ) -> tuple[dict[str, tuple[Scalar, Tree]], Option | None]:
        """The options of `name: value`: by key, or one lone value."""
        if isinstance(value, Map):
            return self.entries(value), None
        if is_faulty(value):  # of which nobody knows whether it was a value or options
            return {OTHERS: unreadable(value.span)}, None
        if isinstance(value, Scalar) and value.value is None:
            return {}, None
        return {}, self.option(key, value)

    def call(
        self,
        name: str,
        span: Span,
        rest: Mapping[str, tuple[Scalar, Tree]],
        here: str,
        lone: Option | None = None,
    ) -> Call | None:
        """A use of a block."""
        repeat = None
        params = {k: self.option(*pair) for k, pair in rest.items() if k != "repeat"}
        if "repeat" in rest:
            repeat = self.repeat(rest["repeat"][1], here)
            if repeat is None:
                params[OTHERS] = self.option(*unreadable(span))
        return Call(name, span, params, lone, repeat)

    def repeat(self, tree: Tree, here: str) -> Repeat | None:
        """`repeat: 3`, or `{times, shared, with}`."""
        if is_faulty(tree):
            return None
        if not isinstance(tree, Map):
            return Repeat(Option(self.value(tree), tree.span, tree.span), False, {}, tree.span)
        if not self.check_keys("repeat", tree, REPEAT, here):
            return None
        times, shared = tree.get("times"), tree.get("shared")
        each = self.mapping("with", tree.get("with"))
        if each is None and tree.get("with") is not None:
            return None
        if shared is not None and not (
            isinstance(shared, Scalar) and isinstance(shared.value, bool)
        ):
            self.wrong_type("shared", "true or false", shared, here)
            return None
        is_shared = isinstance(shared, Scalar) and bool(shared.value)
        if is_shared and tree.get("with") is not None:
            span = next(k.span for k, _ in tree.entries if k.text == "with")
            self.fault("bad-option", "a shared repeat is one module: no with", span, node=here)
            return None
        if times is None and not (each and (each.entries or each.lost)):
            span = tree.span
            self.fault("missing-key", "repeat needs times", span, help="repeat: 3", node=here)
            return None
        return Repeat(
            Option(self.value(times), times.span, times.span) if times is not None else None,
            is_shared,
            {k: self.option(*pair) for k, pair in self.entries(each).items()} if each else {},
            tree.span,
        )

    def chain(self, tree: Tree, here: str) -> Chain | None:
        if not isinstance(tree, Seq):
            help = rewritten("write [{}]", tree)
            self.wrong_type("seq", "a list of layers", tree, here, help)
            return None
        items = tuple(self.item(str(i), item, here) for i, item in enumerate(tree.items))
        return Chain(items, tree.span)

    def item(self, name: str, tree: Tree, path: str) -> Node:
        """An item of a seq; its name stands for the node's name."""
        here = f"{path}.{name}" if path else name
        broken = Node(name, tree.span, None)
        if isinstance(tree, Map) and tree.entries:
            key, value = tree.entries[0]
            if any(isinstance(one, Map) and self.is_split(one, here) for one in (tree, value)):
                return broken
            if len(tree.entries) > 1:
                extra = tree.entries[1][0]
                inside, options = key.text, "..."
                if key.text in OPS and isinstance(value, Scalar):
                    inside, options = value.text, _as_written(tree.entries[1:])
                help = f"options stand inside: {{{inside}: {{{options}}}}}"
                self.fault(
                    "unknown-key",
                    "an item has one key",
                    extra.span,
                    help=help,
                    node=here,
                    tree=tree,
                )
                return broken
            rest, lone = self.item_options(key, value)
        elif isinstance(tree, Scalar) and tree.name is not None:
            key, rest, lone = tree, {}, None
        else:
            self.wrong_type("an item", "a layer or block, or {name: options}", tree, here)
            return broken
        word = self.name("an item", key)
        if word is None:
            return broken
        spoilt = False
        take = None
        if "take" in rest:
            take = self.take(rest.pop("take")[1], here)
            spoilt = take is None
        freeze = self.freeze(rest.pop("freeze")[1], here) if "freeze" in rest else False
        operation: Operation | None
        if word in self.blocks:
            operation = self.call(word, key.span, rest, here, lone)
        else:
            operation = self.apply("layer", word, key.span, rest, here, lone)
        if spoilt:  # which of its results is meant is unknown
            operation = None
        return Node(name, key.span, operation, (), take, freeze, tree.span)

    def take(self, tree: Tree | None, here: str) -> Take | None:
        if tree is None:
            return None
        if isinstance(tree, Scalar) and (tree.name is not None or type(tree.value) is int):
            return Take(tree.text, tree.span)
        self.wrong_type("take", "a port", tree, here)
        return None

    def freeze(self, tree: Tree | None, here: str) -> bool:
        if tree is None or (isinstance(tree, Scalar) and isinstance(tree.value, bool)):
            return tree is not None and bool(tree.value)
        self.wrong_type("freeze", "true or false", tree, here)
        return False


def _as_written(entries: Iterable[tuple[Scalar, Tree]]) -> str:
    """Return the entries of a mapping on one line, if each stands on one."""
    spans = [(key.text, value.span) for key, value in entries]
    if any(span.line != span.end_line for _, span in spans):
        return "..."
    text = ", ".join(f"{key}: {span.excerpt().text}" for key, span in spans)
    return text if len(text) <= LONGEST else "..."


def _activation_help(tree: Tree) -> str:
    """Return how to write an activation whose options stand beside its name, as in `{layer:
    Softmax, dim: 1}` or `[Softmax, 1]`."""
    if isinstance(tree, Seq):
        words = [item.text for item in tree.items if isinstance(item, Scalar)]
        if len(words) == len(tree.items) == 2:
            if registry.find("layer", words[1]):
                node = f"{{layer: {words[1]}, from: ...}}"
                return f"activation: {words[0]}, and make {words[1]} a node of its own: {node}"
            return f"activation: {{{words[0]}: {words[1]}}}"
        return f"activation: {words[0]}" if len(words) == len(tree.items) == 1 else ""
    if not isinstance(tree, Map) or not tree.entries:
        return "leave activation out" if isinstance(tree, Scalar) and tree.value is None else ""
    (key, value), *others = tree.entries
    options = ", ".join(f"{word.text}: ..." for word, _ in others)
    if key.text in ("layer", "name", "type", "op") and isinstance(value, Scalar):
        return f"activation: {{{value.text}: {{{options}}}}}"
    return f"options stand inside: activation: {{{key.text}: {{...}}}}"
