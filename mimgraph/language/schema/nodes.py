"""The JSON Schema of nodes and items of chains: the options and sources of each layer and merge."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mimgraph.ir.declared_graph import BESIDE_FROM, VALUE_OPTION
from mimgraph.ir.dim import Dim
from mimgraph.ir.grammar import BESIDE, NODE_WORDS, TRAINING
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.option_types import NonNegative, choices
from mimgraph.ir.types import TensorType
from mimgraph.language.schema.values import (
    CLOSED,
    COMPUTED,
    EXPRESSION,
    FLAG,
    IDENTIFIER,
    MODEL,
    MODELS,
    SWITCH,
    Json,
    any_of,
    keys,
    lists,
    lists_of_types,
    only_one,
    option,
    option_of_each,
    ref,
    refs,
    types,
    value,
)
from mimgraph.ops import registry
from mimgraph.ops.op import REQUIRED, InputSpec, Op

ANY_SOURCES = InputSpec((), frozenset(), "named")
ONE_SOURCE = InputSpec(("input",), frozenset(), "one")
PORT = "^((?!__)[A-Za-z_][A-Za-z0-9_]*|[0-9]+)$"
COUNT = any_of({"type": "integer", "minimum": 1}, COMPUTED)
PARAM_LISTS: Json = {
    "type": "object",
    "propertyNames": ref("block_param"),
    "additionalProperties": lists(ref("data")),
}


# the words of every node on training, in one short entry, as each op has it
_TRAINED: Json = {"patternProperties": {f"^({'|'.join(TRAINING)})$": ref("trained")}}


def nodes() -> Json:
    """Return the definitions for nodes, items, layers, merges and tensors."""
    layers, merges, tensors = (registry.ops(kind) for kind in ("layer", "merge", "tensor"))
    activations = [op for op in layers.values() if _is_function(op)]
    ops = [*layers.values(), *merges.values()]
    return {
        **_words(activations),
        "node": _node(beside_blocks=False),
        "node_beside_blocks": _node(beside_blocks=True),
        "chain": {"type": "array", "items": ref("item")},
        "chain_beside_blocks": {"type": "array", "items": ref("item_beside_blocks")},
        "item": {"anyOf": _names(layers.values(), "item")},
        "item_beside_blocks": {"anyOf": _names_and_blocks(layers.values())},
        "layer": _chosen("layer"),
        "merge": _chosen("merge"),
        "block": _open_node(keys(block={"type": "string"}), "repeat"),
        "scan": _scan(),
        **{name: _tensor(op) for name, op in tensors.items()},
        **{f"layer.{name}": _op_node(op) for name, op in layers.items()},
        **{f"merge.{name}": _op_node(op) for name, op in merges.items()},
        **{f"item.{name}": _options_or_lone(op, _op_words(op)) for name, op in layers.items()},
        **{f"activation.{op.name}": _options_or_lone(op, {}) for op in activations},
        **{_sources_name(op.inputs): _sources(op.inputs) for op in ops if not op.options_decide},
        "fed_each": _fed_each(),
        "trained": {"type": ["number", "string", "object"]},
        "axis": keys(over=value(int))["over"],
        **types(spec for op in tensors.values() for spec in op.options.values()),
        **lists_of_types(spec for op in ops for spec in op.options.values()),
    }


def _words(activations: Iterable[Op]) -> Json:
    """Return the schemas of the keys of a node that are not options."""
    times = value(NonNegative)
    name: Json = {"type": "string", "pattern": IDENTIFIER}
    with_times = [
        {"required": ["times"]},
        {"required": ["with"], "properties": {"with": {"minProperties": 1}}},
    ]
    mapping = {
        **CLOSED,
        "properties": keys(
            times=times, shared=FLAG, with_=PARAM_LISTS, index=name, collect=any_of(FLAG, name)
        ),
        "anyOf": with_times,
        "if": {"required": ["shared"], "properties": {"shared": {"const": True}}},
        "then": {"properties": {"with": False}},
    }
    return keys(
        from_=_sources(ANY_SOURCES),
        each=any_of(*_sources(ANY_SOURCES, PORT)["anyOf"], COUNT),
        take={"type": ["string", "integer"]},
        freeze={**SWITCH, "pattern": rf"^until .|{EXPRESSION}"},
        activation={"anyOf": _names(activations, "activation")},
        repeat={"anyOf": [times, mapping]},
        over=any_of(value(int), ref("source"), {**_by_input(value(int)), "minProperties": 1}),
        carry=_by_input(ref("source")),
    )


def _beside() -> Json:
    """Return the schemas of the keys beside the options of an operation."""
    return {**refs(*BESIDE), **_over()}


def _over() -> Json:
    """Return the schema of `over` beside any operation but a scan: one axis."""
    return {"over": ref("axis")}


def _by_input(one: Json) -> Json:
    """Return the schema of a mapping by the inputs of a block."""
    return {
        "type": "object",
        "propertyNames": {"pattern": IDENTIFIER},
        "additionalProperties": one,
    }


# sources


def _sources(spec: InputSpec, name: str = IDENTIFIER) -> Json:
    """Return the schema of an op's sources, in a list or by argument.

    `name` is the pattern of the arguments of an op that takes arguments of any name.
    """
    listed: Json = {"type": "array", "items": ref("source"), "minItems": 1}
    if spec.kind == "many":
        return any_of(ref("source"), listed)
    by_argument: Json = {
        "type": "object",
        "propertyNames": {"pattern": name},
        "additionalProperties": ref("source"),
    }
    if spec.kind != "named":
        listed["maxItems"] = len(spec.names)
        by_argument = {
            **CLOSED,
            "properties": {name: ref("source") for name in spec.names},
            "required": [name for name in spec.names if name not in spec.optional],
        }
    return any_of(ref("source"), listed, {**by_argument, "minProperties": 1})


def _sources_name(spec: InputSpec) -> str:
    """Return the name of the definition of such sources: `sources.input`, `sources.many`."""
    names = [f"{name}-or-none" if name in spec.optional else name for name in spec.names]
    return f"sources.{'.'.join(names) or spec.kind}"


def _fed_each() -> Json:
    """Return the conditions of every node with `each`: with a number it has `from`, with sources it has
    not; one module for all has no `with`."""
    copies = {"required": ["from"], "properties": {"shared": {"const": False}}}
    is_shared = {"required": ["shared"], "properties": {"shared": {"const": True}}}
    is_copied = {
        "if": {"properties": {"each": COUNT}},
        "then": copies,
        "else": {"properties": {"from": False}},
    }
    return {"allOf": [is_copied, {"if": is_shared, "then": {"properties": {"with": False}}}]}


def _source_conditions(required: Iterable[str] = (), closed: bool = True) -> Json:
    """Return the conditions of a node: it has `from` and the required options, or `each`, where a
    required option may also be in `with`; with a number as `each` it has `from` too. Without `each`
    a block may have a param `shared`; the options of others are `closed`."""
    somewhere = [
        {"anyOf": [{"required": [name]}, {"required": ["with"], "properties": {"with": one}}]}
        for name in required
        if (one := {"required": [name]})
    ]
    alone = {"with": False, **({"shared": False} if closed else {})}
    return {
        "if": {"required": ["each"]},
        "then": {"allOf": [*somewhere, ref("fed_each")]} if somewhere else ref("fed_each"),
        "else": {"required": ["from", *required], "properties": alone},
    }


# nodes


def _node(beside_blocks: bool) -> Json:
    """Return the schema of a node: the key of its operation decides which other keys it may
    have."""
    chain = ref("chain_beside_blocks" if beside_blocks else "chain")
    seq = {
        **keys(seq=chain),
        "from": _sources(ONE_SOURCE),
        **refs("each"),
        **_beside(),
        "shared": FLAG,
    }
    share = {**keys(share=ref("source")), **refs("from", "each"), **_over()}
    branches: Json = {
        **refs("layer", "merge"),
        "seq": {**CLOSED, **_TRAINED, "properties": seq, **_source_conditions()},
        **(refs("block", "scan") if beside_blocks else {}),
        "share": {**CLOSED, "properties": share},  # a share of a parameter has no source
        **refs(*VALUE_OPTION),
    }
    node: Json = {
        **CLOSED,
        "properties": {**keys(**{op: {} for op in branches}), **refs("from")},
        "anyOf": [{"required": [op]} for op in branches],
    }
    for op, branch in reversed(branches.items()):
        node = {"if": {"required": [op]}, "then": branch, "else": node}
    return {"type": "object", **node}


def _chosen(kind: str) -> Json:
    """Return the schema of a node that is a layer or merge; its name chooses the options."""
    ops = registry.ops(kind)
    open_names = [MODEL, COMPUTED] if kind == "layer" else [COMPUTED]
    return {
        "properties": {kind: {"anyOf": [*(_name(op) for op in ops.values()), *open_names]}},
        "allOf": [
            {"if": {"properties": {kind: {"const": name}}}, "then": ref(f"{kind}.{name}")}
            for name in ops
        ],
        "if": {"properties": {kind: any_of(*open_names)}},
        "then": _open_node({kind: {}}, "activation"),
    }


def _op_node(op: Op) -> Json:
    """Return the schema of a node that is this layer or merge."""
    of_each = {name: option_of_each(spec) for name, spec in op.options.items()}
    return {
        **CLOSED,
        **_TRAINED,
        "properties": {
            op.kind: {},
            "from": ref(_sources_name(ANY_SOURCES if op.options_decide else op.inputs)),
            **refs("each"),
            "with": {**CLOSED, "properties": of_each},
            "shared": FLAG,
            **_options(op),
            **_op_words(op),
            **({BESIDE_FROM[op.name]: ref("source")} if op.name in BESIDE_FROM else {}),
        },
        **_source_conditions(_required(op)),
    }


def _tensor(op: Op) -> Json:
    """Return the schema of a tensor of the model: the value of its key is an option such as its
    shape, the source of an `arange`, or `true` for a tensor `like` a source."""
    options = _options(op)
    given = options.pop(VALUE_OPTION[op.name])
    found: Json = {"required": [op.name, *(name for name in _required(op) if name in options)]}
    if op.name == "arange":
        given = any_of(value(int | Dim), _sources(op.inputs))
        numbers = {"properties": {op.name: any_of({"type": "integer"}, COMPUTED)}}
        of_source = {"required": ["dim"], "properties": {"start": False, "step": False}}
        found |= {"if": numbers, "then": {"properties": {"dim": False}}, "else": of_source}
    elif op.name == "random":
        found["required"].append("like")
        options["like"] = ref("source")
    elif op.inputs.names:
        given = any_of({"const": True}, value(tuple[int | Dim, ...]))
        options["like"] = ref("source")
        like = {"required": ["like"], "properties": {"batched": False}}
        found |= {"if": {"properties": {op.name: {"const": True}}}, "then": like}
        found["else"] = {"properties": {"like": False}}
    properties = {**keys(**{op.name: given}), **options, **_op_words(op)}
    return {**CLOSED, **_TRAINED, "properties": properties, **found}


def _open_node(op: Json, *more: str) -> Json:
    """Return the schema of a block, or of a layer that a param names, whose options are unknown."""
    words = {
        **op,
        **_beside(),
        **refs("from", "each", *more),
        **keys(with_=PARAM_LISTS),
    }
    return {
        "properties": {**words, **{word: False for word in NODE_WORDS if word not in words}},
        "propertyNames": {"pattern": IDENTIFIER},
        "additionalProperties": ref("data"),
        **_source_conditions(closed=False),
    }


def _scan() -> Json:
    """Return the schema of a scan: a block that needs `over` and may have `from`, but no `each`."""
    node = _open_node(keys(scan={"type": "string"}), "over", "carry")
    return {
        **{key: node[key] for key in ("propertyNames", "additionalProperties")},
        "properties": {**node["properties"], "each": False, "with": False, "shared": False},
        "required": ["over"],
    }


# items of chains, and activations


def _names(ops: Iterable[Op], prefix: str) -> list[Json]:
    """Return the schemas of a layer as text: its name, if no option is required; its name with
    options; or the param that names it."""
    bare: list[Json] = [
        {"const": op.name, "description": op.summary} for op in ops if not _required(op)
    ]
    with_options = only_one({op.name: ref(f"{prefix}.{op.name}") for op in ops})
    with_options["patternProperties"] = {EXPRESSION: ref("data")}
    if prefix == "item":
        bare.append(MODEL)
        with_options["patternProperties"][MODELS] = ref("data")
    return [*bare, with_options, COMPUTED]


def _names_and_blocks(layers: Iterable[Op]) -> list[Json]:
    """Return the schemas of a layer or block as text; a block may have any name that no layer
    has."""
    *bare, with_options, chosen = _names(layers, "item")
    name = {"type": "string", "pattern": IDENTIFIER, "not": {"enum": [op.name for op in layers]}}
    call = {**ref("data"), "properties": {**refs("repeat"), **_beside()}}
    return [*bare, {**with_options, "additionalProperties": call}, chosen, name]


def _options_or_lone(op: Op, words: Json) -> Json:
    """Return the schema of a layer's value in a chain: its options, one bare value, or null."""
    required = _required(op)
    others: list[Json] = [] if required else [{"type": "null"}]
    if op.lone_option is not None and set(required) <= {op.lone_option}:
        others.append({**option(op.options[op.lone_option]), "not": {"type": "null"}})
    return {
        "markdownDescription": _shape_rule(op),
        "if": {"type": "object"},
        "then": {
            "properties": {**_options(op), **words},
            "required": required,
            **CLOSED,
            **(_TRAINED if words else {}),
        },
        "else": any_of(*others) if others else {"type": "object"},
    }


# options


def _name(op: Op) -> Json:
    return {"const": op.name, **documented(op)}


def _options(op: Op) -> Json:
    found = {name: option(spec) for name, spec in op.options.items()}
    if op.inputs.kind == "named":  # a formula, in which `$name` stands for a number
        found["expr"] = {"description": "Arithmetic over the sources.", "type": "string"}
    if "activation" in found:  # also a key of every node, so the forms of that key are allowed
        nothing = {"type": ["object", "null"], "maxProperties": 0}
        named = only_one(dict.fromkeys(choices(op.options["activation"].annotation), nothing))
        found["activation"] = any_of(found["activation"], named)
    return found


def _op_words(op: Op) -> Json:
    """Return the schemas of the keys beside an op's options."""
    words = {**refs("activation"), **_beside()}
    if op.ports:
        words["take"] = {"enum": list(op.ports)}
    return {word: one for word, one in words.items() if word not in op.options}


def _required(op: Op) -> list[str]:
    return [name for name, spec in op.options.items() if spec.default is REQUIRED]


def _is_function(op: Op) -> bool:
    """Return whether an op is an activation without weights, by its lowering for an example
    tensor."""
    if op.family != "activation":
        return False
    options = {
        name: spec.check(1) if spec.default is REQUIRED else spec.default
        for name, spec in op.options.items()
    }
    lowering = op.infer({op.inputs.names[0]: TensorType((4, 8, 8))}, options)
    return isinstance(lowering, Lowering) and lowering.function is not None


def documented(op: Op) -> dict[str, str]:
    """Return the description of an op, plain and as Markdown."""
    return {"description": op.doc, "markdownDescription": markdown(op)}


def _shape_rule(op: Op) -> str:
    """Return the first sentence of the docstring, with its shape rule as code."""
    what, _, rule = op.summary.rpartition(": ")
    if "->" not in rule:
        return f"**{op.name}**: {_escaped(op.summary)}"
    return f"**{op.name}**: {_escaped(what)}\n\n`{rule.removesuffix('.')}`"


def markdown(op: Op) -> str:
    """Return the docstring with its shape rule as code, then sources, ports and an example."""
    parts = [_shape_rule(op)]
    parts += [_escaped(op.doc.removeprefix(op.summary).strip())]
    named = [f"`{n}` (optional)" if n in op.inputs.optional else f"`{n}`" for n in op.inputs.names]
    parts += [f"Sources: {', '.join(named)}"] if len(named) > 1 else []
    parts += [f"Ports: {', '.join(f'`{port}`' for port in op.ports)}"] if op.ports else []
    _, node = op.example
    parts += [f"```yaml\n{node}\n```"] if node else []
    return "\n\n".join(filter(None, parts))


def _escaped(text: str) -> str:
    """Return a text for Markdown, in which only code in backticks is formatted."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(
        piece if piece.startswith("`") else re.sub(r"([\\*_{}\[\]<>#|])", r"\\\1", piece)
        for piece in pieces
    )
