"""A located tree to the graph it declares; what cannot be read is reported, and the rest still stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mimgraph.analysis.names import NODE_WORDS, OPS, name_fault, param_fault
from mimgraph.diagnostics import Diagnostic, Label, Report
from mimgraph.diagnostics.nearest import nearest, suggestion
from mimgraph.ir.expression import ExpressionError, parse
from mimgraph.ir.graph import (
    FAULTY,
    Activation,
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    Chosen,
    Each,
    Graph,
    Input,
    InputShape,
    Node,
    Operation,
    Option,
    Output,
    Repeat,
    Share,
    Source,
    Take,
    Template,
    Written,
)
from mimgraph.ir.types import DTYPES, INTEGER
from mimgraph.source import SourceFile, Span
from mimgraph.spec.compose import MAX_INT, MIN_INT, Scalar, Tree, compose
from mimgraph.spec.compose import Mapping as Map
from mimgraph.spec.compose import Sequence as Seq

LANGUAGE = "1"  # the version of the language
TOP = ("mimgraph", "name", "doc", "params", "inputs", "blocks", "nodes", "outputs")
INPUT = ("shape", "dtype", "vocab", "doc", "optional")
OUTPUT = ("from", "only", "doc")  # of the graph; of a block `from` alone
BLOCK = ("params", "inputs", "nodes", "outputs", "seq", "doc")
DEFAULT_NAME = "Model"

_DOLLAR = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\((.*)\))", re.ASCII | re.DOTALL)


def read(file: SourceFile, report: Report, params: Mapping[str, Any] | None = None) -> Graph | None:
    """The graph that a spec declares, with `params` in place of its own; None if it is no YAML."""
    tree = compose(file, report.add)
    if tree is None:
        return None
    if not isinstance(tree, Map):
        report.add(Diagnostic("wrong-type", "a spec is a mapping", tree.span))
        return None
    return _Reader(file, report).graph(tree, params or {})


def read_value(text: str, name: str) -> Any:
    """A value as it stands in a spec, `64` or `[64, 128]`; raises `SpecError`."""
    report = Report()
    file = SourceFile(name, text)
    tree = compose(file, report.add)
    report.raise_if_any()
    return None if tree is None or not text.strip() else _Reader(file, report).value(tree)


# how what is a mapping is written
MAPPINGS = {
    "inputs": "{name: shape}: {image: [3, 32, 32]}",
    "nodes": "{name: node}: {hidden: {layer: ReLU, from: image}}",
    "blocks": "{name: block}: {step: {seq: [ReLU]}}",
    "params": "{name: value}: {hidden: 64}",
    "with": "{param: values}: {width: [64, 128]}",
}


class _Reader:
    def __init__(self, file: SourceFile, report: Report) -> None:
        self.report = report
        self.origin = Span(file, 1, 1, 1, 1)
        self.blocks: frozenset[str] = frozenset()

    # faults

    def fault(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        help: str = "",
        node: str = "",
        tree: Tree | None = None,
    ) -> None:
        """Report; the words of `tree` are what the fault speaks of."""
        spoken = _words(tree) if tree is not None else ()
        self.report.add(Diagnostic(code, message, span, help=help, node=node), *spoken)

    def wrong_type(self, what: str, wants: str, tree: Tree, node: str = "", help: str = "") -> None:
        if not (isinstance(tree, Scalar) and tree.value is FAULTY):
            message = f"{what} is {wants}"
            self.fault("wrong-type", message, tree.span, help=help, node=node, tree=tree)

    def unknown_key(
        self, what: str, key: Scalar, choices: tuple[str, ...], tree: Tree | None, node: str = ""
    ) -> None:
        help = suggestion(key.text, choices) or f"its keys: {', '.join(choices)}"
        self.fault(
            "unknown-key",
            f"{what} has no key {key.text!r}",
            key.span,
            help=help,
            node=node,
            tree=tree,
        )

    def check_keys(self, what: str, tree: Map, choices: tuple[str, ...], node: str = "") -> bool:
        """Whether all keys are known; the others are reported, those that are no keys already."""
        unknown = [key for key, _ in tree.entries if key.text not in choices]
        for key in unknown:  # whose faults all speak of the words of the mapping
            self.unknown_key(what, key, choices, tree if key is unknown[0] else None, node)
        return not (unknown or tree.incomplete)

    def mapping(self, what: str, tree: Tree | None) -> Map | None:
        """`tree` as a mapping; None, told if it is something else."""
        if tree is None or isinstance(tree, Map):
            return tree
        self.wrong_type(what, "a mapping", tree, help=MAPPINGS.get(what, ""))
        return None

    def text(self, what: str, tree: Tree | None) -> str | None:
        """`tree` as a text."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            return tree.value
        if tree is not None:
            help = _rewritten('quote it: "{}"', tree)
            self.wrong_type(what, "a text", tree, help=help)
        return None

    # the top

    def graph(self, tree: Map, overrides: Mapping[str, Any]) -> Graph:
        known = self.check_keys("a spec", tree, TOP)
        if known:
            for key in ("inputs", "nodes", "outputs"):
                if tree.get(key) is None:
                    help = f"a spec needs {key}"
                    self.fault("missing-key", f"{key} is missing", self.origin, help=help)
        self.version(tree.get("mimgraph"))
        nodes = self.mapping("nodes", tree.get("nodes"))
        blocks = self.mapping("blocks", tree.get("blocks"))
        if blocks is None and tree.get("blocks") is not None:
            nodes = None  # what uses a block cannot be read either
        self.blocks = frozenset(key.text for key, _ in blocks.entries) if blocks else frozenset()
        inputs = self.mapping("inputs", tree.get("inputs"))
        outputs = tree.get("outputs")
        if inputs is not None and not inputs.entries:
            self.wrong_type("inputs", "a mapping of at least one input", inputs)
        return Graph(
            name=self.class_name(tree.get("name")),
            origin=self.origin,
            params=self.params(tree.get("params"), overrides),
            inputs=tuple(self.input(k, v) for k, v in inputs.entries) if inputs else (),
            blocks={k.text: self.block(k, v) for k, v in blocks.entries} if blocks else {},
            nodes=self.nodes(nodes, "") if nodes else (),
            outputs=self.outputs(outputs) if outputs is not None else (),
            doc=self.text("doc", tree.get("doc")) or "",
        )

    def version(self, tree: Tree | None) -> None:
        if tree is not None and not (isinstance(tree, Scalar) and tree.text == LANGUAGE):
            self.fault("bad-option", f"the language version is {LANGUAGE}", tree.span)

    def class_name(self, tree: Tree | None) -> str:
        name = self.text("name", tree)
        if name is None or tree is None:
            return DEFAULT_NAME
        reason = name_fault(name)
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
        """Params in order; an override takes the place of the value."""
        found: dict[str, Option] = {}
        for key, value in (self.mapping("params", tree) or Map((), self.origin)).entries:
            reason = param_fault(key.text)
            if key.text in reserved:
                reason = f"{key.text} is a key of every node"
            if reason is not None:
                self.fault("bad-name", f"{key.text!r} cannot be a param", key.span, help=reason)
            option = self.option(key, value)
            if isinstance(value, Map):
                self.wrong_type("a param", "a number, a text, true, false or a list", value)
                option = option._replace(value=FAULTY)
            if overrides and key.text in overrides:
                given = self.override(key, overrides[key.text])
                option = option._replace(value=given, part=None)
            found[key.text] = option
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

    # inputs

    def input(self, key: Scalar, tree: Tree) -> Input:
        broken = Input(key.text, key.span, None)
        if isinstance(tree, Seq):
            return Input(key.text, key.span, self.shape(tree), whole=key.span.to(tree.span))
        if not isinstance(tree, Map):
            help = _rewritten("write [{}]", tree)
            self.wrong_type("an input", "a shape, [3, 32, 32], or a mapping", tree, help=help)
            return broken
        known = self.check_keys("an input", tree, INPUT)
        shape, vocab = tree.get("shape"), tree.get("vocab")
        if shape is None and vocab is None:
            if known:
                self.fault("missing-key", f"{key.text} needs a shape", key.span, help="shape: [5]")
            return broken
        sizes: InputShape | None = InputShape((), ())
        if shape is not None:
            if not isinstance(shape, Seq):
                help = _rewritten("write [{}]", shape)
                self.wrong_type("a shape", "a list of sizes", shape, help=help)
                return broken
            sizes = self.shape(shape)
        vocab_option = self.option(vocab, vocab) if isinstance(vocab, Scalar) else None
        if vocab is not None and vocab_option is None:
            self.wrong_type("vocab", "a number of categories", vocab)
            return broken
        dtype_tree = tree.get("dtype")
        dtype = self.dtype(dtype_tree, "int64" if vocab is not None else "float32")
        doc = self.text("doc", tree.get("doc")) or ""
        if vocab is not None and dtype_tree is not None and dtype and dtype not in INTEGER:
            help = "leave dtype out, which is int64 then"
            self.fault("bad-option", "what has a vocab is integer", dtype_tree.span, help=help)
            return broken
        if dtype is None:
            return broken
        optional = self.flag("optional", tree.get("optional"))
        whole = key.span.to(tree.span)
        return Input(key.text, key.span, sizes, dtype, vocab_option, doc, optional, whole)

    def flag(self, what: str, tree: Tree | None) -> bool:
        """`true` or `false`, which it is where it is left out."""
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return tree.value
        if tree is not None:
            self.wrong_type(what, "true or false", tree)
        return False

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

    # values

    def value(self, tree: Tree) -> Any:
        """Plain data, with `Written` for `$...` and `Template` for text that has `$name` in it."""
        if isinstance(tree, Scalar):
            return self.scalar(tree)
        if isinstance(tree, Seq):
            return [self.value(item) for item in tree.items]
        return {key.text: self.value(value) for key, value in tree.entries}

    def scalar(self, tree: Scalar) -> Any:
        value = tree.value
        if not isinstance(value, str) or "$" not in value:
            return value
        match = _DOLLAR.fullmatch(value)
        if match is None:
            if value[0] == "$":
                self.fault("bad-expression", "write $name or $(expression)", tree.span)
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
        return Option(self.value(tree), tree.span, key.span, part)

    def formula(self, key: Scalar, tree: Tree) -> Option:
        """A formula, in which `$name` stands for a number even at its beginning."""
        if isinstance(tree, Scalar) and isinstance(tree.value, str) and "$" in tree.value:
            return Option(Template(tree.value, tree.part), tree.span, key.span)
        return self.option(key, tree)

    # nodes

    def nodes(self, tree: Map, path: str) -> tuple[Node, ...]:
        return tuple(self.node(key, value, path) for key, value in tree.entries)

    def node(self, key: Scalar, tree: Tree, path: str) -> Node:
        """A node; without an operation if it could not be read."""
        here = path + key.text
        if not isinstance(tree, Map):
            self.wrong_type("a node", "a mapping", tree, here, "{layer: ..., from: ...}")
            return Node(key.text, key.span, None)
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
        take = self.take(tree.get("take"), here)
        freeze = self.freeze(tree.get("freeze"), here)
        if len(self.report.diagnostics) > before:
            self.report.spoken.update(_words(tree))
        fine = sources is not None or fed_by is None
        whole = key.span.to(tree.span)
        return Node(key.text, key.span, operation if fine else None, sources, take, freeze, whole)

    def op_of(self, key: Scalar, tree: Map, here: str) -> tuple[Scalar, Tree] | None:
        """The one key that says what a node does."""
        ops = [(k, v) for k, v in tree.entries if k.text in OPS]
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
        if tree.incomplete:
            return None
        self.fault(
            "missing-key",
            f"{key.text} does not say what it does",
            key.span,
            help=f"give one of {', '.join(OPS)}",
            node=here,
        )
        return None

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
        entries = options.entries if options else ()
        return Each(one, {k.text: self.option(k, v) for k, v in entries}, key.span)

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
        own = (key.text, *self.feeding(tree, words))
        rest = {k.text: (k, v) for k, v in tree.entries if k.text not in own}
        if key.text == "share":
            return self.share(name, value, rest, here)
        if key.text == "block":
            return self.call(name, value.span, rest, here)
        return self.apply(key.text, name, value.span, rest, here)

    def name(self, what: str, tree: Tree) -> str | None:
        """The name of a layer, merge or block, or the param that gives it."""
        text = self.text(what, tree)
        if text is None or not text.startswith("$") or not isinstance(tree, Scalar):
            return text
        written = self.scalar(tree)
        return Chosen(text, written) if isinstance(written, Written) else None

    def feeding(self, tree: Map, words: tuple[str, ...]) -> tuple[str, ...]:
        """The keys that say what feeds a node, and those of the words that are no options: `with`
        is one beside `each`, which has a value for each."""
        each = tree.get("each") is not None
        return ("from", *(("each",) if each else ()), *(w for w in words if each or w != "with"))

    def share(
        self, name: str, value: Tree, rest: Mapping[str, tuple[Scalar, Tree]], here: str
    ) -> Share | None:
        for word, _ in rest.values():
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
                return None
        return Apply(kind, name, span, options, lone, activation)

    def tensor(self, key: Scalar, value: Tree, tree: Map, here: str) -> Apply | None:
        """A tensor of the model, its shape behind the key; of an `arange`, what it counts."""
        rest = {
            k.text: (k, v) for k, v in tree.entries if k.text not in (key.text, "take", "freeze")
        }
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
        if isinstance(tree, Scalar) and isinstance(tree.value, str):
            name = self.name("activation", tree)
            return Activation(name, {}, None, tree.span) if name is not None else None
        if isinstance(tree, Map) and len(tree.entries) == 1:
            key, value = tree.entries[0]
            options, lone = self.item_options(key, value)
            name = self.name("activation", key)
            given = {k: self.option(*o) for k, o in options.items()}
            return Activation(name, given, lone, key.span) if name is not None else None
        self.wrong_type("activation", "a layer's name, or {name: options}", tree, here)
        return None

    def item_options(
        self, key: Scalar, value: Tree
    ) -> tuple[dict[str, tuple[Scalar, Tree]], Option | None]:
        """The options of `name: value`: by key, or one lone value."""
        if isinstance(value, Map):
            return {k.text: (k, v) for k, v in value.entries}, None
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
        if "repeat" in rest:
            repeat = self.repeat(rest["repeat"][1], here)
            if repeat is None:
                return None
        params = {k: self.option(*pair) for k, pair in rest.items() if k != "repeat"}
        return Call(name, span, params, lone, repeat)

    def repeat(self, tree: Tree, here: str) -> Repeat | None:
        """`repeat: 3`, or `{times, shared, with}`."""
        if not isinstance(tree, Map):
            return Repeat(Option(self.value(tree), tree.span, tree.span), False, {}, tree.span)
        if not self.check_keys("repeat", tree, ("times", "shared", "with"), here):
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
        if times is None and not (each and each.entries):
            span = tree.span
            self.fault("missing-key", "repeat needs times", span, help="repeat: 3", node=here)
            return None
        return Repeat(
            Option(self.value(times), times.span, times.span) if times is not None else None,
            is_shared,
            {k.text: self.option(k, v) for k, v in each.entries} if each else {},
            tree.span,
        )

    def chain(self, tree: Tree, here: str) -> Chain | None:
        if not isinstance(tree, Seq):
            help = _rewritten("write [{}]", tree)
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
            if len(tree.entries) > 1:
                extra = tree.entries[1][0]
                inside = value.text if key.text in OPS and isinstance(value, Scalar) else key.text
                help = f"options stand inside: {{{inside}: {{...}}}}"
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
        elif isinstance(tree, Scalar) and isinstance(tree.value, str):
            key, rest, lone = tree, {}, None
        else:
            self.wrong_type("an item", "a layer or block, or {name: options}", tree, here)
            return broken
        word = self.name("an item", key)
        if word is None:
            return broken
        take = self.take(rest.pop("take")[1], here) if "take" in rest else None
        freeze = self.freeze(rest.pop("freeze")[1], here) if "freeze" in rest else False
        operation: Operation | None
        if word in self.blocks:
            operation = self.call(word, key.span, rest, here, lone)
        else:
            operation = self.apply("layer", word, key.span, rest, here, lone)
        return Node(name, key.span, operation, (), take, freeze, tree.span)

    def take(self, tree: Tree | None, here: str) -> Take | None:
        if tree is None:
            return None
        if isinstance(tree, Scalar) and type(tree.value) in (str, int):
            return Take(str(tree.value), tree.span)
        self.wrong_type("take", "a port", tree, here)
        return None

    def freeze(self, tree: Tree | None, here: str) -> bool:
        if tree is None or (isinstance(tree, Scalar) and isinstance(tree.value, bool)):
            return tree is not None and bool(tree.value)
        self.wrong_type("freeze", "true or false", tree, here)
        return False

    # sources and outputs

    def sources(self, tree: Tree | None, here: str) -> tuple[Source, ...] | None:
        """One source, a list, or a mapping by argument; None where one cannot be read."""
        if tree is None:
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
        text = tree.value if isinstance(tree, Scalar) else None
        if not isinstance(text, str):
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
        """One source, a list, or `{public_name: source}`, a source with more to say in a mapping."""
        if isinstance(tree, Scalar):
            source = self.source(tree, "")
            return (Output(source.name, source, tree.span),) if source else ()
        if not (tree.entries if isinstance(tree, Map) else tree.items):
            self.wrong_type("outputs", "a source, a list of them, or {name: source}", tree)
        if isinstance(tree, Map):
            return tuple(o for k, v in tree.entries if (o := self.named_output(k, v, words)))
        found: dict[str, Output] = {}
        for item in tree.items:
            output = self.listed_output(item, words)
            if output is None:
                continue
            if output.name in found:
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

    def listed_output(self, tree: Tree, words: tuple[str, ...]) -> Output | None:
        if isinstance(tree, Map) and len(tree.entries) == 1:
            return self.named_output(*tree.entries[0], words)
        source = self.source(tree, "")
        if source is not None and source.port is not None:
            help = f"{{{source.port}: {source.name}.{source.port}}}"
            if source.port == "*":
                help = f"name each port: {{a: {source.name}.a, b: {source.name}.b}}"
            self.fault(
                "wrong-type", "a port in a list needs a name", tree.span, help=help, tree=tree
            )
            return None
        return Output(source.name, source, tree.span) if source else None

    def named_output(self, key: Scalar, tree: Tree, words: tuple[str, ...]) -> Output | None:
        """`name: source`, or `name: {from: source, only: training, doc: ...}`."""
        said: Map = tree if isinstance(tree, Map) else Map((), tree.span)
        training = False
        if isinstance(tree, Map):
            what = "an output" if words == OUTPUT else "an output of a block"
            known = self.check_keys(what, tree, words)
            only, found = tree.get("only"), tree.get("from")
            training = isinstance(only, Scalar) and only.value == "training"
            if only is not None and not training:
                self.fault("bad-option", "only is training", only.span, tree=only)
            if found is None:
                if known:
                    help = f"{key.text}: {{from: ...}}"
                    self.fault("missing-key", f"{key.text} needs from", key.span, help=help)
                return None
            tree = found
        source = self.source(tree, "")
        if not (key.text.isascii() and key.text.isidentifier()):
            help = "a name is letters, digits and underscores, and starts with no digit"
            message = f"{key.text!r} cannot be an output's name"
            self.fault("bad-name", message, key.span, help=help, tree=tree)
            return None
        if source is None:
            return None
        doc = self.text("doc", said.get("doc")) or ""
        return Output(key.text, source, key.span, training, doc, key.span.to(said.span))

    # blocks

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
        path = f"{key.text}."
        params = self.params(tree.get("params"), None, NODE_WORDS)
        inputs = self.block_inputs(tree.get("inputs"))
        doc = self.text("doc", tree.get("doc")) or ""
        if tree.get("seq") is not None:
            return self.chain_block(key, tree, params, inputs, doc)
        for word in ("inputs", "nodes", "outputs"):
            if tree.get(word) is None and known:
                self.fault(
                    "missing-key",
                    f"{key.text} needs {word}",
                    key.span,
                    help=f"give {word}, or a seq",
                )
        nodes = self.mapping("nodes", tree.get("nodes"))
        outputs = tree.get("outputs")
        return Block(
            key.text,
            key.span,
            params,
            inputs,
            self.nodes(nodes, path) if nodes else (),
            self.outputs(outputs, ("from",)) if outputs is not None else (),
            doc=doc,
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

    def block_inputs(self, tree: Tree | None) -> tuple[BlockInput, ...]:
        """`[x, g]`, or `{x: [C, H, W]}`; a null pattern takes any shape."""
        if tree is None:
            return ()
        if isinstance(tree, Scalar):
            name = self.text("inputs", tree)
            return (BlockInput(name, tree.span),) if name is not None else ()
        if not (tree.entries if isinstance(tree, Map) else tree.items):
            self.wrong_type("inputs", "the names of at least one input", tree)
        found = []
        if isinstance(tree, Seq):
            for item in tree.items:
                name = self.text("an input of a block", item)
                if name is not None:
                    found.append(BlockInput(name, item.span))
            return tuple(found)
        for key, value in tree.entries:
            pattern = None
            if isinstance(value, Seq):
                pattern = self.shape(value)
            elif not (isinstance(value, Scalar) and value.value is None):
                self.wrong_type("a pattern", "a list of sizes and names", value)
            found.append(BlockInput(key.text, key.span, pattern))
        return tuple(found)


def _rewritten(form: str, tree: Tree) -> str:
    """What is there in the form that is wanted, where it is a word or a number."""
    is_word = isinstance(tree, Scalar) and tree.value not in (None, FAULTY)
    return form.format(tree.text) if is_word and isinstance(tree, Scalar) else ""


def _words(tree: Tree) -> Iterator[str]:
    """Every text in a tree, keys included, and the names in front of a dot."""
    stack: list[Tree] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, Scalar):
            yield current.text.partition(".")[0]
        elif isinstance(current, Seq):
            stack.extend(current.items)
        else:
            for key, value in current.entries:
                stack.extend((key, value))
