"""Write a declared graph as a spec, a node a line, or as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mimgraph.declare.tree import MAX_BYTES, MAX_DEPTH
from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.ir.declared_graph import (
    BESIDE_FROM,
    VALUE_OPTION,
    Activation,
    Apply,
    Block,
    BlockInput,
    Call,
    Chain,
    DeclaredLimits,
    Each,
    Graph,
    Input,
    Node,
    Operation,
    Output,
    Repeat,
    Scan,
    Share,
    Source,
)
from mimgraph.ir.declared_values import Choices, Floats, Integers, Option, Template, Written
from mimgraph.language.yaml_text import Path, Rows, Tall, written_text, yaml_text
from mimgraph.source import SourceFile
from mimgraph.support.arguments import plain, shown, wrong

COMPUTES = ("expr", "equation")  # options that say what a merge does, before what it does that to


def write(graph: Graph, comments: Mapping[str, str] | None = None) -> str:
    """Return the spec of a graph; reading it gives the same graph.

        write(graph, {"": "at the top", "nodes.fc": "above fc", "blocks.tower.0": "above an item"})

    A comment stands above what its path names: a node of the graph or of a block, or an item of a
    seq by its position (`nodes.encoder.2`).
    """
    places = {_place(path): comment for path, comment in (comments or {}).items()}
    return yaml_text(tree(graph), places)


def _place(path: str) -> Path:
    """Return where the tree has what a comment is about: `("nodes", "encoder", "seq", 2)`."""
    if not path:
        return ()
    names = path.split(".")
    depth = 2 if names[0] == "blocks" else 1
    place: Path = tuple(names[:depth])
    for name in names[depth:]:
        if name.isdecimal():
            place += ("seq", int(name))
        else:
            place += ("nodes", name) if depth == 2 else (name,)
    return place


def tree(graph: Graph) -> Tall:
    """Return the spec of a graph as mappings and lists, which hold its expressions as they are."""
    spec = Tall(name=graph.name)
    if graph.doc:
        spec["doc"] = graph.doc
    if graph.limits is not None:
        spec["limits"] = _limits(graph.limits)
    if graph.params:
        spec["params"] = {name: _param(option) for name, option in graph.params.items()}
    spec["inputs"] = Tall((i.name, _input(i)) for i in graph.inputs)
    if graph.blocks:
        spec["blocks"] = Tall((key, _block(block)) for key, block in graph.blocks.items())
    spec["nodes"] = Tall((node.name, _node(node)) for node in graph.nodes)
    spec["outputs"] = _outputs(graph.outputs)
    return spec


def _param(option: Option) -> Any:
    """Return the value of a param, or its search space with the default if that is not the first."""
    search: Any
    first: Any
    match option.space:
        case None:
            return option.value
        case Choices(values):
            search, first = [*values], values[0]
        case Integers(low, high, _, step):
            search, first = {"int": [low, high], **({"step": step} if step != 1 else {})}, low
        case Floats(low, high, _, by):
            search, first = {"float": [low, high], **({"step": by} if by else {})}, low
    if not isinstance(option.space, Choices) and option.space.log:
        search["log"] = True
    return {"search": search} | ({} if option.value == first else {"default": option.value})


def _limits(limits: DeclaredLimits) -> dict[str, Any]:
    sizes = {"sizes": _options(limits.sizes)} if limits.sizes else {}
    return {**_options(limits.amounts), **sizes}


def _input(declared: Input) -> Any:
    shape = declared.shape.texts if declared.shape else []
    usual = "float32" if declared.vocab is None else "int64"
    entry: dict[str, Any] = {}
    if shape or declared.vocab is None:
        entry["shape"] = shape
    if declared.dtype != usual:
        entry["dtype"] = declared.dtype
    if declared.vocab is not None:
        entry["vocab"] = declared.vocab.value
    if declared.optional:
        entry["optional"] = declared.optional
    if declared.doc:
        entry["doc"] = declared.doc
    return shape if entry.keys() == {"shape"} else entry


def _block(block: Block) -> Tall:
    entry = Tall()
    if block.doc:
        entry["doc"] = block.doc
    if block.params:
        entry["params"] = _options(block.params)
    entry["inputs"] = _block_inputs(block.inputs)
    if block.is_chain:
        (node,) = block.nodes
        assert isinstance(node.operation, Chain)
        entry["seq"] = Rows(map(_item, node.operation.items))
    else:
        entry["nodes"] = Tall((node.name, _node(node)) for node in block.nodes)
        entry["outputs"] = _outputs(block.outputs)
    return entry


def _block_inputs(inputs: Sequence[BlockInput]) -> Any:
    if any(i.pattern or i.optional for i in inputs):
        return {i.name: _block_input(i) for i in inputs}
    return [i.name for i in inputs]


def _block_input(declared: BlockInput) -> Any:
    """Return a pattern, None for any shape; a mapping if the input is optional."""
    shape = declared.pattern.texts if declared.pattern else None
    if not declared.optional:
        return shape
    entry: dict[str, Any] = {} if shape is None else {"shape": shape}
    if declared.declared is not None:
        known = _input(replace(declared.declared, optional=True))
        entry |= {key: known[key] for key in ("dtype", "vocab") if key in known}
    return {**entry, "optional": declared.optional}


def _outputs(outputs: Sequence[Output]) -> Any:
    """Return the outputs as a source, a list of nodes, or a mapping of public names."""
    if any(output.only_training or output.batch_dim or output.doc for output in outputs):
        return Tall((output.name, _output(output)) for output in outputs)
    sources = [output.source.text for output in outputs]
    if len(outputs) == 1 and outputs[0].name == outputs[0].source.name:
        return sources[0]
    if [output.name for output in outputs] == sources:
        return sources
    return {output.name: source for output, source in zip(outputs, sources, strict=True)}


def _output(output: Output) -> Any:
    """Return a source, or a mapping if the output has more than that."""
    entry: dict[str, Any] = {"from": output.source.text}
    if output.only_training:
        entry["only"] = "training"
    if output.batch_dim is not None:
        entry["batch_dim"] = output.batch_dim.value
    if output.doc:
        entry["doc"] = output.doc
    return entry if len(entry) > 1 else entry["from"]


def _node(node: Node) -> dict[str, Any]:
    operation = node.applied
    entry: dict[str, Any] = {}
    times, word, last = dict[str, Any](), "from", dict[str, Any]()
    if isinstance(node.operation, Each):
        last = _how_each(node.operation)
        if node.operation.times is None:
            word = "each"
        else:
            times["each"] = node.operation.times.value
    sources = times | (_fed(word, operation, node.sources) if node.sources else {})
    match operation:
        case Apply("tensor", name):
            entry |= _tensor(name, _apply(operation), node.sources or ())
        case Apply(kind, name):
            options = _apply(operation)
            first = {
                key: options.pop(key) for key in COMPUTES if kind == "merge" and key in options
            }
            entry |= {kind: name, **first, **sources, **options}
        case Call(block, scan=Scan() as scan):
            entry |= {"scan": block, **_scan(scan, node.sources or ()), **_call(operation)}
        case Call(block):
            entry |= {"block": block, **sources, **_call(operation)}
        case Share():
            entry |= {"share": operation.text, **sources}
        case Chain(items):
            entry |= {**sources, "seq": Rows(map(_item, items))}
    return entry | last | _words(node)


def _how_each(each: Each) -> dict[str, Any]:
    """Return the entries `shared` and `with` of an `each`."""
    entry: dict[str, Any] = {}
    if each.shared:
        entry["shared"] = True
    if each.options:
        entry["with"] = _options(each.options)
    return entry


def _tensor(name: str, options: dict[str, Any], sources: Sequence[Source]) -> dict[str, Any]:
    """Return the entries of a tensor of the model; its key gives an option, or its source."""
    option = VALUE_OPTION[name]
    if not sources:
        return {name: options.pop(option), **options}
    if name == "arange":
        return {name: sources[0].text, **options}
    return {name: options.pop(option, True), "like": sources[0].text, **options}


def _fed(word: str, operation: Operation | None, sources: Sequence[Source]) -> dict[str, Any]:
    """Return the entries of the sources: `from` or `each`, and the key of a second source such as
    `like`."""
    key = BESIDE_FROM.get(operation.name) if isinstance(operation, Apply) else None
    beside = [source for source in sources if source.argument == key]
    others = [source._replace(argument=None) for source in sources if source.argument != key]
    if key is None or word != "from" or len(beside) != 1 or len(others) != 1:
        return {word: _sources(sources)}
    return {word: others[0].text, key: beside[0].text}


def _scan(scan: Scan, sources: Sequence[Source]) -> dict[str, Any]:
    """Return the entries of a scan: `from` has the sources that neither `over` nor `carry` names."""
    entry: dict[str, Any] = {}
    carried = {one.argument: one.text for one in sources if one.argument in scan.carry}
    rest = [
        one
        for one in sources
        if one.argument not in carried
        and not (one.argument in scan.axes and one.text == one.argument)
    ]
    if rest:
        entry["from"] = _sources(rest)
    entry["over"] = _options(scan.axes) if scan.axis is None else scan.axis.value
    if carried:
        entry["carry"] = carried
    return entry


def _words(node: Node) -> dict[str, Any]:
    """Return the entries `take`, `over`, `freeze`, `lr`, ... of a node."""
    entry: dict[str, Any] = {}
    if node.take is not None:
        entry["take"] = node.take.port
    if node.over is not None:
        entry["over"] = node.over.value
    if node.freeze:
        entry["freeze"] = node.freeze
    if node.training is not None:
        entry |= {word: option.value for word, option in node.training.given.items()}
        if node.training.freeze_until is not None:
            entry["freeze"] = f"until {node.training.freeze_until.value}"
    return entry


def _item(node: Node) -> Any:
    """Return an item of a seq: a name, or a name with its options."""
    operation = node.operation
    assert isinstance(operation, Apply | Call)
    name = operation.name if isinstance(operation, Apply) else operation.block
    options = _apply(operation) if isinstance(operation, Apply) else _call(operation)
    options |= _words(node)
    if not options:
        return name if operation.lone is None else {name: operation.lone.value}
    return {name: options}


def _apply(operation: Apply) -> dict[str, Any]:
    entry = _options(operation.options)
    if operation.activation is not None:
        entry["activation"] = _activation(operation.activation)
    return entry


def _activation(activation: Activation) -> Any:
    if activation.lone is not None:
        return {activation.name: activation.lone.value}
    return (
        {activation.name: _options(activation.options)} if activation.options else activation.name
    )


def _call(operation: Call) -> dict[str, Any]:
    entry = _options(operation.params)
    if operation.repeat is not None:
        entry["repeat"] = _repeat(operation.repeat)
    return entry


def _repeat(repeat: Repeat) -> Any:
    more = repeat.shared or repeat.each or repeat.counter or repeat.collect
    if not more and repeat.times is not None:
        return repeat.times.value
    entry: dict[str, Any] = {}
    if repeat.times is not None:
        entry["times"] = repeat.times.value
    if repeat.shared:
        entry["shared"] = True
    if repeat.each:
        entry["with"] = _options(repeat.each)
    if repeat.counter is not None:
        entry["index"] = repeat.counter.name
    if repeat.collect is not None:
        entry["collect"] = repeat.collect.name or True
    return entry


def _options(options: Mapping[str, Option]) -> dict[str, Any]:
    return {name: option.value for name, option in options.items()}


def _sources(sources: Sequence[Source]) -> Any:
    if any(source.argument for source in sources):
        return {source.argument: source.text for source in sources}
    return sources[0].text if len(sources) == 1 else [source.text for source in sources]


# Convert a declared graph to plain data, as a spec holds it, and plain data to the text of a
# spec.


TALL = ("params", "inputs", "nodes", "outputs")  # sections with a line for each of their entries
MOST_BITS = 1024  # of an integer; the reader refuses it from 64 on, and Python does not print any


def to_data(graph: Graph) -> dict[str, Any]:
    """Return the spec of a graph as dicts, lists, texts and numbers; expressions are texts."""
    found: dict[str, Any] = _without_records(tree(graph))
    return found


def _without_records(value: Any) -> Any:
    match value:
        case Written():
            return written_text(value)
        case Template(text):
            return text
        case dict():
            return {str(key): _without_records(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_records(item) for item in value]
        case bool() | None:
            return value
        case int():
            return int(value)
        case float():
            return float(value)
        case str():
            return str(value)
    raise TypeError(f"a spec cannot hold {value!r}")


def to_text(given: object, name: str) -> str:
    """Return plain data as the text of a spec, in which its faults are shown; `name` is that of the text.

    A `TypeError` says where it is no plain data.
    """
    if isinstance(given, str):
        raise TypeError("from_dict takes a dict: mg.loads takes the text of a spec")
    if not isinstance(given, Mapping):
        raise wrong("a spec", "a dict as graph.to_dict() returns", given)
    return yaml_text(_spec(_Plain(name).value(given, ())))


def _spec(given: dict[str, Any]) -> Tall:
    """Return a spec or block with a line for each node."""
    return Tall((key, _section(key, value)) for key, value in given.items())


def _section(key: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if key == "blocks":
        return Tall((k, _spec(one) if isinstance(one, dict) else one) for k, one in value.items())
    return Tall(value) if key in TALL else value


class _Plain:
    """Copies data that is plain, and counts it: a list may hold itself, or one list many times."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = MAX_BYTES

    def value(self, given: Any, path: tuple[str, ...]) -> Any:
        """Return the copy of the value at a path, with Python's own numbers and texts."""
        self.left -= 2 + (len(given) if isinstance(given, str) else 0)  # `, `, `[]` or a line
        if self.left < 0:
            raise self._too_large(f"the dict has more than {MAX_BYTES:,} bytes")
        if len(path) > MAX_DEPTH:
            raise self._too_large(f"the dict is nested more than {MAX_DEPTH} levels deep")
        if isinstance(given, Mapping):
            return {self._key(k, path): self.value(one, (*path, k)) for k, one in given.items()}
        if isinstance(given, list | tuple):
            return [self.value(one, (*path, str(i))) for i, one in enumerate(given)]
        return self._scalar(plain(given), path)

    def _key(self, key: object, path: tuple[str, ...]) -> str:
        if not isinstance(key, str):
            raise TypeError(f"a key in {_at(path)} is {shown(key)}, not a string")
        self.left -= len(key)
        return str.__str__(key)  # without what an enum adds

    def _scalar(self, given: Any, path: tuple[str, ...]) -> Any:
        match given:
            case None | bool():
                return given
            case str():
                return str.__str__(given)
            case int() if given.bit_length() <= MOST_BITS:
                return int(given)
            case float():
                return float(given)
            case list():  # a row of numpy
                return self.value(given, path)
        raise TypeError(f"a spec holds plain data, but {_at(path)} is {shown(given)}")

    def _too_large(self, message: str) -> SpecError:
        return SpecError([Diagnostic("too-large", message, SourceFile(self.name, "").start)])


def _at(path: tuple[str, ...]) -> str:
    """Return the path of a value: `nodes.fc.out_features`."""
    text = ".".join(path) or "the spec"
    return text if len(text) <= 80 else f"{text[:40]}…{text[-39:]}"
