"""Random valid specs: inputs of known and symbolic sizes, layers, merges, chains, blocks, shares,
tensors of the model itself, learned tensors read again.

A tensor is a vector (D), a sequence (L, D) or an image (C, H, W). Sizes are numbers, or Python
expressions over names in brackets; a size that a layer must know (D, C) has no names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

Size = int | str
Shape = tuple[Size, ...]
Spec = dict[str, Any]
VECTOR, SEQUENCE, IMAGE = 1, 2, 3

WORDS = (
    *("x", "y", "n", "layer", "block", "module", "sum", "input", "out", "weights", "a", "fc"),
    *("conv", "norm", "stem", "head", "left", "right", "values", "items", "size", "x_2", "Linear"),
)
FAMILIES = ("residual", "conv_bn", "stage", "x", "Tower", "linear", "last_lstm", "model", "head")
POOLS = ("mean_pool", "max_pool", "last_pool", "attention_pool")
FUNCTIONS = ("ReLU", "Tanh", {"GELU": {"approximate": "tanh"}}, {"LeakyReLU": 0.2})
INITS = ("zeros", "normal", 0.5, {"uniform": {"b": 2.0}}, {"constant": {"val": -1}})

_NAME = re.compile(r"[A-Za-z]\w*")


def to_yaml(spec: Spec) -> str:
    """Return the spec as text, without anchors."""

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(spec, Dumper=Dumper, sort_keys=False, width=1000)


def substitute(size: Size, names: Mapping[str, Size]) -> Size:
    """Return the size with names replaced; a number if no name is left."""
    if isinstance(size, int):
        return size
    text = _NAME.sub(lambda match: str(names.get(match[0], match[0])), size)
    return text if _NAME.search(text) else int(eval(text))


class Value(NamedTuple):
    """A tensor: how a source names it, and its shape without the batch."""

    source: str
    shape: Shape


class Given(NamedTuple):
    """A size as an option writes it (`8`, `$width`), and the size itself."""

    option: Size
    size: Size


class Item(NamedTuple):
    """A layer or block with its options, as an item of a chain, and the shape of its result."""

    name: str
    options: Spec
    shape: Shape

    @property
    def written(self) -> Any:
        return {self.name: self.options} if self.options else self.name


@dataclass(frozen=True)
class Block:
    """A block as declared: `inputs` and `outputs` in the names of its own sizes and params."""

    name: str
    text: Spec
    inputs: Mapping[str, Shape]
    params: Mapping[str, int | None]
    outputs: Mapping[str, Shape]

    def results(self, shapes: list[Shape], params: Mapping[str, int]) -> dict[str, Shape]:
        """Return the shapes of the outputs for inputs of these shapes."""
        names: dict[str, Size] = {**self.params, **params}  # type: ignore[dict-item]
        for pattern, shape in zip(self.inputs.values(), shapes, strict=True):
            names |= {str(name): size for name, size in zip(pattern, shape, strict=True)}
        return {
            output: tuple(substitute(size, names) for size in shape)
            for output, shape in self.outputs.items()
        }

    def fits(self, shapes: list[Shape]) -> bool:
        """Return whether the first inputs take these shapes."""
        names: dict[Size, Size] = {}
        return all(
            len(pattern) == len(shape)
            and all(
                names.setdefault(n, size) == size for n, size in zip(pattern, shape, strict=True)
            )
            for pattern, shape in zip(self.inputs.values(), shapes, strict=False)
        )


def is_small(shape: Shape) -> bool:
    """Return whether a tensor stays small for the sizes that tests give to names."""
    guessed = [int(eval(_NAME.sub("12", str(size)))) for size in shape]
    return math.prod(guessed) <= 10_000 and (len(shape) != SEQUENCE or guessed[0] <= 200)


def known(shape: Shape) -> Size:
    """Return the size that a layer must know."""
    return shape[0] if len(shape) == IMAGE else shape[-1]


def keeps_known(stacked: Shape, shape: Shape) -> bool:
    """Return whether layers can still take a shape that got an axis in front."""
    size = known(stacked)
    return isinstance(size, int) or (bool(shape) and size == known(shape))


@dataclass
class Scope:
    """A body that is being written: its nodes and values so far, and the names that it has for sizes."""

    draw: st.DrawFn
    sizes: list[Given]
    blocks: list[Block]
    is_block: bool
    inputs: Spec = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    unused: dict[str, Value] = field(default_factory=dict)
    nodes: Spec = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    shareable: list[tuple[str, list[Shape], list[Value]]] = field(default_factory=list)
    needs_mix: bool = False
    needs_borrow: bool = False

    # drawing

    def name(self) -> str:
        """Return a name that is free."""
        word = self.draw(st.sampled_from(WORDS))
        found, number = word, 0
        while found in self.names:
            number += 1
            found = f"{word}_{number}"
        self.names.add(found)
        return found

    def size(self) -> Given:
        """Draw a size for an option, as a number or an expression."""
        number = self.draw(st.integers(1, 8))
        return self.draw(st.sampled_from([Given(number, number), *self.sizes]))

    def written(self, size: Size) -> Size | None:
        """Return a size as an option writes it; None if it cannot be written in this body."""
        words = {str(given.size) for given in self.sizes}
        if isinstance(size, str) and not words.issuperset(_NAME.findall(size)):
            return None
        return size if isinstance(size, int) else f"$({size})"

    def frozen(self) -> Spec:
        """Draw whether a node is frozen, as its option."""
        return {"freeze": True} if self.draw(st.integers(0, 4)) == 0 else {}

    def pick(self, fits: Callable[[Value], bool] = lambda _: True) -> Value | None:
        """Draw a value, by preference one that nothing uses yet."""
        unused = [value for value in self.unused.values() if fits(value)]
        every = [value for value in self.values if fits(value)]
        if not every:
            return None
        prefers_unused = self.draw(st.booleans())
        return self.draw(st.sampled_from(unused if unused and prefers_unused else every))

    def source(self, value: Value) -> str:
        """Return how a node names the value, and mark it as used."""
        self.unused.pop(value.source, None)
        return value.source

    def offer(self, value: Value) -> Value:
        self.values.append(value)
        self.unused[value.source] = value
        return value

    # nodes

    def add_layer(self) -> None:
        value = self.pick()
        assert value is not None
        item = self.item(value.shape)
        name = self.name()
        options = {**item.options, **self.frozen()}
        self.nodes[name] = {"layer": item.name, "from": self.source(value), **options}
        if self.draw(st.integers(0, 2)) == 0:
            self.nodes[name]["activation"] = self.draw(st.sampled_from(FUNCTIONS))
        results = [Value(name, item.shape)]
        recurrent = item.name in ("LSTM", "GRU") and "take" not in item.options
        if recurrent and self.draw(st.booleans()):
            results.append(Value(f"{name}.last", (known(item.shape),)))
        for result in results:
            self.offer(result)
        self.shareable.append((name, [value.shape], results))

    def add_chain(self) -> None:
        value = self.pick()
        assert value is not None
        items, shape = self.items(value.shape)
        name = self.name()
        self.nodes[name] = {"from": self.source(value), "seq": items, **self.frozen()}
        self.shareable.append((name, [value.shape], [self.offer(Value(name, shape))]))

    def add_over(self) -> None:
        """Add a layer, block or chain that runs over the steps of a sequence."""
        value = self.pick(lambda value: len(value.shape) == SEQUENCE)
        if value is None:
            return
        steps, *step = value.shape
        node: Spec = {"over": self.draw(st.sampled_from([1, -2])), **self.frozen()}
        item = self.block_item(tuple(step))
        if item is not None:
            shape, node = item.shape, {"block": item.name, **node, **item.options}
        elif self.draw(st.booleans()):
            item = self.item(tuple(step))
            shape, node = item.shape, {"layer": item.name, **node, **item.options}
        else:
            node["seq"], shape = self.items(tuple(step))
        if not is_small((steps, *shape)) or not keeps_known((steps, *shape), shape):
            return
        name = self.name()
        self.nodes[name] = {"from": self.source(value), **node}
        self.shareable.append((name, [value.shape], [self.offer(Value(name, (steps, *shape)))]))

    def add_merge(self) -> None:
        """Add a merge of two or three values of one shape, or of shapes that differ on one axis."""
        first = self.pick(lambda value: bool(value.shape))
        if first is None:
            return
        alike = [v for v in self.values if v.shape == first.shape]
        merges = ["add", "subtract", "multiply", "average", "maximum", "formula", "concat"]
        if len(first.shape) == VECTOR:
            merges += ["stack", "dot"]
        if len(first.shape) == SEQUENCE:
            merges += ["attention"]
        merge = self.draw(st.sampled_from(merges))
        if merge == "concat":
            self.add_concat(first)
            return
        if merge == "attention":
            self.add_attention(first)
            return
        most = 2 if merge in ("subtract", "dot") else 3
        others = self.draw(st.lists(st.sampled_from(alike), min_size=1, max_size=most - 1))
        sources: Any = [self.source(value) for value in (first, *others)]
        shape = first.shape
        options: Spec = {}
        if merge == "stack":
            shape = (len(sources), *shape)
        if merge == "dot":
            shape = ()
        if merge == "formula":
            sources = dict(zip("abc", sources, strict=False))
            options["expr"] = " + ".join(f"sigmoid({key}) * {key}" for key in sources)
        elif merge != "dot" and self.draw(st.booleans()):
            options["activation"] = self.draw(st.sampled_from(FUNCTIONS))
        name = self.name()
        self.nodes[name] = {"merge": merge, "from": sources, **options}
        self.offer(Value(name, shape))

    def add_concat(self, first: Value) -> None:
        """Add a merge along an axis that every tensor has."""
        rank = len(first.shape)
        axis = 0 if rank == IMAGE else rank - 1

        def rest(value: Value) -> tuple[int, Shape]:
            return len(value.shape), (*value.shape[:axis], *value.shape[axis + 1 :])

        alike = [value for value in self.values if rest(value) == rest(first)]
        others = self.draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2))
        parts = (first, *others)
        total = _sum([known(value.shape) for value in parts])
        shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
        if not is_small(shape):
            return
        dim = self.draw(st.sampled_from([axis + 1, axis - rank]))
        sources = [self.source(value) for value in parts]
        name = self.name()
        self.nodes[name] = {"merge": "concat", "from": sources, "dim": dim}
        self.offer(Value(name, shape))

    def add_attention(self, query: Value) -> None:
        alike = [
            v for v in self.values if len(v.shape) == SEQUENCE and v.shape[1] == query.shape[1]
        ]
        key = self.draw(st.sampled_from(alike))
        other = [v for v in self.values if len(v.shape) == SEQUENCE and v.shape[0] == key.shape[0]]
        value = self.draw(st.sampled_from(other))
        sources = {"query": query, "key": key, "value": value}
        name = self.name()
        written = {argument: self.source(v) for argument, v in sources.items()}
        self.nodes[name] = {"merge": "attention", "from": written}
        self.offer(Value(name, (query.shape[0], value.shape[1])))

    def add_tensor(self) -> None:
        """Add a tensor of the model itself: with a batch, or broadcast to a value."""
        value = self.pick(lambda v: bool(v.shape) and self.written(known(v.shape)) is not None)
        if value is None:
            return
        size = known(value.shape)
        ones = (1, 1) if len(value.shape) == IMAGE else ()
        name = self.name()
        kind = self.draw(st.sampled_from(["parameter", "buffer", "ones", "zeros"]))
        shape = [self.written(size), *ones]
        with_batch = self.draw(st.booleans())
        if not with_batch and self.draw(st.booleans()):  # of all axes, a 1 for the batch
            shape = [*[1] * (len(value.shape) + 1 - len(shape)), *shape]
        self.nodes[name] = {kind: shape}
        if kind in ("parameter", "buffer"):
            self.nodes[name]["init"] = self.draw(st.sampled_from(INITS))
        if kind == "buffer" and self.draw(st.booleans()):
            self.nodes[name]["persistent"] = False
        self.nodes[name] |= self.frozen() if kind == "parameter" else {}
        if with_batch:
            self.nodes[name]["batched"] = True
            self.offer(Value(name, (size, *ones)))
        else:
            self.broadcast(value, name)

    def add_noise(self) -> None:
        """Add a value plus noise like it, which is zero in eval, or plus a constant like it."""
        value = self.pick(lambda v: len(v.shape) in (VECTOR, SEQUENCE))
        if value is None:
            return
        noise, name = self.name(), self.name()
        kind = self.draw(st.sampled_from(["normal", "uniform", "ones", "zeros"]))
        if kind in ("ones", "zeros"):
            self.nodes[noise] = {kind: True, "like": self.source(value)}
        else:
            self.nodes[noise] = {"random": kind, "like": self.source(value), "only": "training"}
        self.nodes[name] = {"merge": "add", "from": [self.source(value), noise]}
        self.offer(Value(name, value.shape))

    def add_positions(self) -> None:
        """Add the embedded positions of a sequence to it."""
        value = self.pick(
            lambda v: len(v.shape) == SEQUENCE and self.written(v.shape[1]) is not None
        )
        if value is None:
            return
        positions, embedded = self.name(), self.name()
        self.nodes[positions] = {
            "arange": self.source(value),
            "dim": self.draw(st.sampled_from([1, -2])),
        }
        self.nodes[embedded] = {
            "layer": "Embedding",
            "from": positions,
            "num_embeddings": 4000,
            "embedding_dim": self.written(value.shape[1]),
        }
        self.broadcast(value, embedded)

    def broadcast(self, value: Value, other: str) -> None:
        """Add a merge of a value with a tensor that has no batch."""
        name, merge = self.name(), self.draw(st.sampled_from(["add", "multiply"]))
        sources = [self.source(value), other]
        self.nodes[name] = {"merge": merge, "from": sources, "broadcast": True}
        self.offer(Value(name, value.shape))

    def add_tied(self) -> None:
        """Add a layer, and the product of a value and its weight."""
        value = self.pick(lambda v: len(v.shape) in (VECTOR, SEQUENCE))
        if value is None:
            return
        width, layer, name = self.size(), self.name(), self.name()
        self.nodes[layer] = {
            "layer": "Linear",
            "from": self.source(value),
            "out_features": width.option,
        }
        self.offer(Value(layer, (*value.shape[:-1], width.size)))
        columns = value.shape[-1]
        other = self.pick(
            lambda v: (
                len(v.shape) in (VECTOR, SEQUENCE)
                and v.shape[-1] == width.size
                and is_small((*v.shape[:-1], columns))
            )
        )
        assert other is not None  # the result of the layer is a learned tensor
        sources = [self.source(other), f"{layer}.weight"]
        self.nodes[name] = {"merge": "matmul", "from": sources}
        self.offer(Value(name, (*other.shape[:-1], columns)))

    def add_borrowed(self) -> None:
        """Add a layer, and a use or scan of a block that shares it."""
        value = self.pick(lambda v: len(v.shape) in (VECTOR, SEQUENCE))
        if value is None or self.is_block or self.needs_borrow:
            return
        self.needs_borrow = True
        width, name = self.size(), self.name()
        layer = {"layer": "Linear", "from": self.source(value), "out_features": width.option}
        self.nodes["lender"] = layer
        self.offer(Value("lender", (*value.shape[:-1], width.size)))
        other = self.pick(
            lambda v: len(v.shape) in (VECTOR, SEQUENCE) and v.shape[-1] == value.shape[-1]
        )
        assert other is not None  # the value itself
        how = self.draw(st.sampled_from(["block", "over", "scan"]))
        how = how if len(other.shape) == SEQUENCE else "block"
        self.nodes[name] = {
            "scan" if how == "scan" else "block": "borrow",
            "from": self.source(other),
            **({} if how == "block" else {"over": 1}),
        }
        self.offer(Value(name, (*other.shape[:-1], width.size)))

    def add_block(self) -> None:
        """Add a use of a block, on values that fit its inputs."""
        if not self.blocks:
            return
        block = self.draw(st.sampled_from(self.blocks))
        used: list[Value] = []
        while len(used) < len(block.inputs):
            value = self.pick(lambda v: block.fits([*(u.shape for u in used), v.shape]))
            if value is None:
                return
            used.append(value)
        item = self.use(block, [value.shape for value in used])
        if not all(map(is_small, item.results.values())):
            return
        name = self.name()
        sources: Any = [self.source(value) for value in used]
        if len(sources) == 1:
            sources = sources[0]
        elif self.draw(st.booleans()):
            sources = dict(zip(block.inputs, sources, strict=True))
        options = {**item.options, **self.frozen()}
        steps = self.collected(name, options, item.results)
        self.nodes[name] = {"block": block.name, "from": sources, **options}
        if len(block.outputs) == 1:
            results = [Value(name, item.results[next(iter(block.outputs))])]
        else:
            results = [Value(f"{name}.{port}", shape) for port, shape in item.results.items()]
        results += steps
        for result in results:
            self.offer(result)
        if item.options.get("repeat") != 0:
            self.shareable.append((name, [value.shape for value in used], results))

    def add_scan(self) -> None:
        """Add a scan of a block over sequences of one length, with vectors as constants or carried."""
        first = self.pick(lambda v: len(v.shape) == SEQUENCE)
        if first is None or not self.blocks:
            return
        block, length = self.draw(st.sampled_from(self.blocks)), first.shape[0]
        used: dict[str, Value] = {}
        steps: list[Shape] = []
        for key in block.inputs:
            value = self.pick(
                lambda v: (
                    len(v.shape) in (VECTOR, SEQUENCE)
                    and (len(v.shape) == VECTOR or v.shape[0] == length)
                    and block.fits([*steps, v.shape[-1:]])
                )
            )
            if value is None:
                return
            used[key] = value
            steps.append(value.shape[-1:])
        params = {key: self.size() for key in block.params}
        results = block.results(steps, {key: given.size for key, given in params.items()})  # type: ignore[misc]
        scanned = [key for key, value in used.items() if len(value.shape) == SEQUENCE]
        carried = [
            key
            for key, step in zip(used, steps, strict=True)
            if key not in scanned and results.get(key) == step and self.draw(st.booleans())
        ]
        stacked = {port: (length, *shape) for port, shape in results.items() if port not in carried}
        is_read = bool(carried) or any(len(shape) == SEQUENCE for shape in stacked.values())
        if not scanned or not is_read or not all(map(is_small, stacked.values())):
            return
        name = self.name()
        sources = {key: self.source(value) for key, value in used.items()}
        self.nodes[name] = {
            "scan": block.name,
            "from": {key: source for key, source in sources.items() if key not in carried},
            "over": dict.fromkeys(scanned, 1),
            **({"carry": {key: sources[key] for key in carried}} if carried else {}),
            **{key: given.option for key, given in params.items()},
            **self.frozen(),
        }
        if not stacked:
            stacked = {"steps": (length, *next(iter(results.values())))}
        for port, shape in stacked.items():
            source = name if len(results) == 1 and not carried else f"{name}.{port}"
            if len(shape) == SEQUENCE:
                self.offer(Value(source, shape))
        for port in carried:
            self.offer(Value(f"{name}.{port}", results[port]))

    def add_each(self) -> None:
        """Add an `each` of a layer or chain on one to three values, perhaps with a width for each."""
        used: list[Value] = []
        for _ in range(self.draw(st.integers(1, 3))):
            value = self.pick(lambda v: len(v.shape) in (VECTOR, SEQUENCE))
            if value is not None:
                used.append(value)
        if not used:
            return
        names = [value.source.rpartition(".")[2] for value in used]
        sources: Any = [self.source(value) for value in used]
        if len(set(names)) < len(names) or self.draw(st.booleans()):
            names = ["items", "first", "training"][: len(names)]
            sources = dict(zip(names, sources, strict=True))
        widths = [self.size()] * len(used)
        node: Spec = {"layer": "Linear", "each": sources, "out_features": widths[0].option}
        kind = self.draw(st.integers(0, 2))
        if kind == 1:
            widths = [self.size() for _ in used]
            del node["out_features"]
            node |= {"with": {"out_features": [w.option for w in widths]}, "activation": "ReLU"}
        if kind == 2:
            node = {"each": sources, "seq": [{"Linear": widths[0].option}, "Tanh"]}
        name = self.name()
        self.nodes[name] = {**node, **self.frozen()}
        for port, value, width in zip(names, used, widths, strict=True):
            result = self.offer(Value(f"{name}.{port}", (*value.shape[:-1], width.size)))
            self.shareable.append((result.source, [value.shape], [result]))

    def collected(self, name: str, options: Spec, results: Mapping[str, Shape]) -> list[Value]:
        """Let a repeat perhaps collect a result of all its steps; return their stack."""
        repeat = options.get("repeat")
        more = repeat if isinstance(repeat, dict) else {"times": repeat}
        times = more.get("times")
        port = self.draw(st.sampled_from([None, *results])) if times else None
        if not times or port is None:
            return []
        shape = (times.removeprefix("$") if isinstance(times, str) else times, *results[port])
        if not is_small(shape) or not keeps_known(shape, results[port]):
            return []
        options["repeat"] = {**more, "collect": port if len(results) > 1 else True}
        return [Value(f"{name}.steps", shape)]

    def use(self, block: Block, shapes: list[Shape]) -> Use:
        """Draw params for a block and how often it is repeated."""
        params: Spec = {}
        sizes: dict[str, Any] = {}
        for name, default in block.params.items():
            if default is None or self.draw(st.booleans()):
                given = self.size()
                params[name], sizes[name] = given
        results = block.results(shapes, sizes)
        threaded = list(results.values())[: len(shapes)]
        single = len(results) == 1
        carried = single or results.keys() <= block.inputs.keys()
        names = list(block.inputs)
        fed = (
            {names[0]: next(iter(results.values()))}
            if single
            else {name: shape for name, shape in results.items() if name in block.inputs}
        )
        stays = all(shapes[names.index(name)] == shape for name, shape in fed.items())
        if not carried or not stays or self.draw(st.booleans()):
            if single and len(shapes) == 1 and block.params and len(threaded[0]) == len(shapes[0]):
                return self.widening(block, shapes[0], params, sizes)
            return Use(params, results)
        choices: list[Any] = [0, 1, 2, 3, {"times": 2, "shared": True}]
        names = {size for shape in shapes for size in shape if size in ("T", "S")}
        if not self.is_block:  # sizes of run time
            choices += [{"times": f"${size}", "shared": True} for size in sorted(map(str, names))]
        return Use({**params, "repeat": self.draw(st.sampled_from(choices))}, results)

    def widening(self, block: Block, shape: Shape, params: Spec, sizes: Mapping[str, Any]) -> Use:
        """Return a use of a block, perhaps repeated with another value of a param each time."""
        (output,) = block.outputs
        varied = next(iter(block.params))
        if self.draw(st.booleans()):
            return Use(params, block.results([shape], dict(sizes)))
        widths = self.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
        for width in widths:
            shape = block.results([shape], {**sizes, varied: width})[output]
        others = {name: value for name, value in params.items() if name != varied}
        return Use({**others, "repeat": {"with": {varied: widths}}}, {output: shape})

    def add_share(self) -> None:
        """Add a share of another node, on values of the same shapes."""
        if not self.shareable:
            return
        target, shapes, results = self.draw(st.sampled_from(self.shareable))
        used = [self.pick(lambda v, shape=shape: v.shape == shape) for shape in shapes]  # type: ignore[misc]
        sources = [self.source(value) for value in used if value is not None]
        name = self.name()
        self.nodes[name] = {"share": target, "from": sources if len(sources) > 1 else sources[0]}
        for result in results:
            self.offer(Value(name + result.source.removeprefix(target), result.shape))

    def add_padded(self) -> None:
        """Add a sequence with a length for each sample, read by an RNN or pooled to a vector."""
        value = self.pick(lambda v: len(v.shape) == SEQUENCE)
        if value is None or self.is_block:
            return
        lengths, name, width = self.name(), self.name(), self.size()
        self.inputs[lengths] = {"shape": [], "dtype": "int64"}
        source = self.source(value)
        if self.draw(st.booleans()):
            layer = self.draw(st.sampled_from(["GRU", "LSTM"]))
            sources = {"input": source, "lengths": lengths}
            options = {"hidden_size": width.option, "take": "last"}
            self.nodes[name] = {"layer": layer, "from": sources, **options}
            self.offer(Value(name, (width.size,)))
            return
        mask, pool = self.name(), self.draw(st.sampled_from(POOLS))
        self.nodes[mask] = {"merge": "sequence_mask", "from": {"lengths": lengths, "like": source}}
        self.nodes[name] = {"merge": pool, "from": {"input": source, "mask": mask}}
        self.offer(Value(name, value.shape[1:]))

    def add_missing(self) -> None:
        """Add an input that may be left out, perhaps with a layer on it, and a node that works without it.

        The node has another input of that shape too, as a tensor of the model does not count as given.
        """
        given = self.pick(
            lambda v: v.source in self.inputs and all(isinstance(size, int) for size in v.shape)
        )
        if given is None:
            return
        source = self.name()
        self.inputs[source] = {"shape": list(given.shape), "optional": True}
        if self.draw(st.booleans()):
            name = self.name()
            self.nodes[name] = {"layer": "Tanh", "from": source}
            source = name
        name = self.name()
        self.nodes[name] = self.without(source, given)
        self.offer(Value(name, given.shape))

    def without(self, source: str, given: Value) -> Spec:
        """Return a node on a source that may be missing, and a value of its shape that is always present."""
        kind = self.draw(st.sampled_from(["fill", "present", "skip", "block"]))
        if kind == "skip":
            merge = self.draw(st.sampled_from(["add", "average", "maximum", "minimum"]))
            sources = self.draw(st.permutations([source, self.source(given)]))
            return {"merge": merge, "from": sources, "missing": "skip"}
        if kind == "block":
            self.needs_mix = True
            return {"block": "mix", "from": [self.source(given), source]}
        value = self.draw(st.sampled_from(["zeros", "learned"]))
        if kind == "fill":
            return {"layer": "Fill", "from": source, "value": value}
        present = self.name()
        self.inputs[present] = {"shape": [], "dtype": "bool"}
        return {"layer": "Fill", "from": {"input": source, "present": present}, "value": value}

    # items of chains

    def items(self, shape: Shape) -> tuple[list[Any], Shape]:
        """Draw a chain of layers and one-input blocks."""
        written = []
        for _ in range(self.draw(st.integers(1, 4))):
            item = self.block_item(shape) or self.item(shape)
            written.append(item.written)
            shape = item.shape
        return written, shape

    def block_item(self, shape: Shape) -> Item | None:
        """Draw a block that takes this shape; None if there is none, or if none is drawn."""
        fitting = [b for b in self.blocks if len(b.inputs) == 1 and b.fits([shape])]
        if not fitting or self.draw(st.integers(0, 2)):
            return None
        block = self.draw(st.sampled_from(fitting))
        use = self.use(block, [shape])
        port = self.draw(st.sampled_from(sorted(use.results)))
        take = {"take": port} if len(use.results) > 1 else {}
        item = Item(block.name, {**use.options, **take}, use.results[port])
        return item if is_small(item.shape) else None

    def item(self, shape: Shape) -> Item:
        """Draw a layer that takes this shape."""
        if not shape:
            return self.draw(
                st.sampled_from([Item("Sigmoid", {}, shape), Item("Identity", {}, shape)])
            )
        width = self.size()
        candidates = [
            Item(self.draw(st.sampled_from(["ReLU", "Tanh", "PReLU"])), {}, shape),
            Item("LeakyReLU", {"negative_slope": 0.2}, shape),
            Item("Dropout", {"p": 0.25}, shape),
        ]
        if len(shape) == IMAGE:
            candidates += self.image_layers(shape, width)
        else:
            candidates += [
                Item("Linear", {"out_features": width.option}, (*shape[:-1], width.size)),
                Item(
                    "Linear",
                    {"out_features": width.option, "bias": False},
                    (*shape[:-1], width.size),
                ),
                Item("LayerNorm", {}, shape),
            ]
        if len(shape) == VECTOR:
            candidates += [
                Item("BatchNorm1d", {}, shape),
                Item("Unsqueeze", {"dim": 1}, (1, *shape)),
            ]
        if len(shape) == SEQUENCE:
            candidates += self.sequence_layers(shape, width)
        return self.draw(st.sampled_from([c for c in candidates if is_small(c.shape)]))

    def image_layers(self, shape: Shape, width: Given) -> list[Item]:
        channels, height, breadth = shape
        halves = [substitute(f"(({size} - 1)//2 + 1)", {}) for size in (height, breadth)]
        options: Spec = {"out_channels": width.option, "kernel_size": 3, "padding": 1}
        pooled = self.draw(st.sampled_from([1, 2]))
        found = [
            Item("Conv2d", options, (width.size, height, breadth)),
            Item("Conv2d", {**options, "stride": 2, "bias": False}, (width.size, *halves)),
            Item("BatchNorm2d", {}, shape),
            Item("GroupNorm", {"num_groups": 1}, shape),
            Item("AdaptiveAvgPool2d", {"output_size": pooled}, (channels, pooled, pooled)),
            Item("Mean", {"dim": [2, 3]}, (channels,)),
            Item(
                "Rearrange",
                {"pattern": "n c h w -> n (h w) c"},
                (substitute(f"({height} * {breadth})", {}), channels),
            ),
        ]
        if isinstance(height, int) and isinstance(breadth, int) and isinstance(channels, int):
            found.append(Item("Flatten", {}, (channels * height * breadth,)))
            if min(height, breadth) >= 3:
                options = {"out_channels": width.option, "kernel_size": 3}
                found.append(Item("Conv2d", options, (width.size, height - 2, breadth - 2)))
        return found

    def sequence_layers(self, shape: Shape, width: Given) -> list[Item]:
        length, depth = shape
        hidden: Spec = {"hidden_size": width.option}
        found = []
        if not self.is_block and isinstance(depth, int) and depth % 2 == 0:  # sizes of run time
            option = substitute(f"(2 * {length})", {})
            written = f"${option}" if isinstance(option, str) else option
            found.append(Item("Reshape", {"shape": [written, depth // 2]}, (option, depth // 2)))
        return [
            *found,
            Item("Reshape", {"shape": [-1, 1]}, (substitute(f"({length} * {depth})", {}), 1)),
            Item("LSTM", hidden, (length, width.size)),
            Item("LSTM", {**hidden, "take": "last"}, (width.size,)),
            Item("GRU", hidden, (length, width.size)),
            Item("MultiheadAttention", {"num_heads": 1}, shape),
            Item("Mean", {"dim": 1}, shape[1:]),
            Item("Select", {"dim": 1, "index": self.draw(st.sampled_from([0, -1]))}, shape[1:]),
        ]

    # a whole body

    def fill(self, most: int, of_blocks: bool = False) -> None:
        """Write nodes of all kinds, in an order in which they can run."""
        kinds = [self.add_layer, self.add_layer, self.add_chain, self.add_merge, self.add_merge]
        kinds += [self.add_block, self.add_block, self.add_block, self.add_share]
        kinds += [self.add_tensor, self.add_positions, self.add_tied, self.add_each, self.add_scan]
        kinds += [self.add_padded, self.add_missing, self.add_over, self.add_noise]
        kinds += [self.add_borrowed]
        kinds += [self.add_block] * (12 if of_blocks else 0)
        for _ in range(self.draw(st.integers(min(3, most), most))):
            self.draw(st.sampled_from(kinds))()
        if not self.nodes:
            self.add_layer()
        for value in [v for v in self.unused.values() if v.source not in self.nodes]:
            if "." not in value.source:  # an input that nothing uses
                self.values = [value]
                self.add_layer()


class Use(NamedTuple):
    """The params and repeat of a use of a block, and the shapes of its results."""

    options: Spec
    results: dict[str, Shape]


def _sum(sizes: list[Size]) -> Size:
    return substitute(f"({' + '.join(map(str, sizes))})", {})


# blocks

PATTERNS: tuple[Shape, ...] = (("C",), ("T", "D"), ("C", "H", "W"))


@st.composite
def chain_blocks(draw: st.DrawFn, name: str, blocks: list[Block], params: list[Given]) -> Block:
    """Draw a block that is a `seq` with a width."""
    pattern = draw(st.sampled_from(PATTERNS))
    scope = Scope(draw, [Given("$width", "width"), *params], blocks, True)
    items, shape = scope.items(pattern)
    default = draw(st.sampled_from([None, 4]))
    text = {"params": {"width": default}, "seq": items}
    return Block(name, text, {"x": pattern}, {"width": default}, {"out": shape})


@st.composite
def free_blocks(draw: st.DrawFn, name: str, blocks: list[Block], params: list[Given]) -> Block:
    """Draw a block of one or two inputs, whose outputs are all unused values."""
    named = draw(st.booleans())
    first = draw(st.sampled_from(PATTERNS))
    inputs: dict[str, Shape] = {"x": first}
    if draw(st.booleans()):
        inputs["g"] = draw(st.sampled_from([first, ("E",)]))
    default = draw(st.sampled_from([None, 4]))
    sizes = [Given("$width", "width"), Given("$(width + 1)", "(width + 1)"), *params]
    if named:
        knowns = {str(known(shape)) for shape in inputs.values()}
        sizes += [Given(f"${size}", size) for size in sorted(knowns)]
        sizes += [Given(f"$(2 * {size})", f"(2 * {size})") for size in sorted(knowns)]
    scope = Scope(draw, sizes, blocks, True, names=set(inputs))
    for source, shape in inputs.items():
        scope.offer(Value(source, shape))
    scope.fill(4)
    sinks = list(scope.unused.values())
    public: dict[str, Value] = {}
    for i, sink in enumerate(sinks):  # an output may be handed to the input of its name
        alike = [key for key, shape in inputs.items() if shape == sink.shape and key not in public]
        name_of_sink = f"out{i}" if len(sinks) > 1 else "out"
        public[draw(st.sampled_from([name_of_sink, *alike]))] = sink
    text: Spec = {
        "params": {"width": default},
        "inputs": {key: list(shape) for key, shape in inputs.items()} if named else list(inputs),
        "nodes": scope.nodes,
        "outputs": {key: sink.source for key, sink in public.items()},
    }
    outputs = {key: sink.shape for key, sink in public.items()}
    return Block(name, text, inputs, {"width": default}, outputs)


@st.composite
def residual_blocks(draw: st.DrawFn, name: str, blocks: list[Block], params: list[Given]) -> Block:
    """Draw a block that returns each of its one or two inputs in its shape, so that it can be repeated."""
    pattern = draw(st.sampled_from(PATTERNS))
    size = known(pattern)
    same, wide = f"${size}", f"$({size} * width)"
    if len(pattern) == IMAGE:
        conv = {"kernel_size": 3, "padding": 1}
        first, last = {"out_channels": wide, **conv}, {"out_channels": same, **conv}
        body: list[Any] = [{"Conv2d": first}, "BatchNorm2d", "ReLU", {"Conv2d": last}]
        back: Spec = {"layer": "Conv2d", "from": "x", "out_channels": same, "kernel_size": 1}
    else:
        body = [{"Linear": wide}, "Tanh", {"Linear": same}]
        back = {"layer": "Linear", "from": "x", "out_features": same}
    inputs: dict[str, Shape] = {"x": pattern}
    nodes: Spec = {
        "body": {"from": "x", "seq": body},
        "sum": {"merge": "add", "from": ["x", "body"], "activation": "ReLU"},
    }
    outputs = {"sum": "sum"}
    if draw(st.booleans()):
        inputs["g"] = pattern
        nodes["back"] = back
        nodes["gated"] = {"merge": "multiply", "from": ["back", "g"]}
        nodes["all"] = {"merge": "add", "from": ["sum", "gated"]}
        outputs = {"out": "all"}
        if draw(st.booleans()):
            del nodes["all"]
            outputs = {"g": "gated", "x": "sum"}
    text = {
        "params": {"width": 2},
        "inputs": {key: list(shape) for key, shape in inputs.items()},
        "nodes": nodes,
        "outputs": outputs,
    }
    return Block(name, text, inputs, {"width": 2}, dict.fromkeys(outputs, pattern))


# whole specs

MIX: Spec = {  # of its two inputs the second may be missing
    "inputs": ["x", "g"],
    "nodes": {
        "act": {"layer": "Sigmoid", "from": "g"},
        "mean": {"merge": "average", "from": ["x", "act"], "missing": "skip"},
    },
    "outputs": "mean",
}
BORROW: Spec = {  # uses a layer of the graph
    "inputs": ["x"],
    "nodes": {
        "fc": {"share": "lender", "from": "x"},
        "act": {"layer": "Tanh", "from": "fc"},
    },
    "outputs": "act",
}
INPUTS: tuple[Shape, ...] = (
    *((5,), (3,), (1,), (7, 4), ("T", 6), ("S", 6), ("T", 3)),
    *((3, 6, 6), (2, "H", "W"), (1, 4, 5), (2, "H", 6)),
    *(("2*T", 6), ("(2*T + 1)", 6), (2, "4*H", "W")),  # in parentheses, as parts of expressions
)


@st.composite
def specs(draw: st.DrawFn, most: int = 8, of_blocks: bool = False) -> Spec:
    """Draw a whole valid spec; with `of_blocks` most nodes are uses of blocks."""
    hidden = draw(st.integers(2, 9))
    params = [Given("$hidden", hidden), Given("$(hidden // 2)", hidden // 2)]
    blocks: list[Block] = []
    families = draw(
        st.lists(st.sampled_from(FAMILIES), min_size=int(of_blocks), max_size=3, unique=True)
    )
    for family in families:
        kind = draw(st.sampled_from([chain_blocks, free_blocks, residual_blocks]))
        blocks.append(draw(kind(family, list(blocks), params)))
    scope = Scope(draw, params, blocks, False)
    inputs = scope.inputs
    for shape in draw(st.lists(st.sampled_from(INPUTS), min_size=1, max_size=3)):
        name = scope.name()
        inputs[name] = list(shape)
        scope.offer(Value(name, shape))
    if draw(st.booleans()):
        _embed(scope)
    scope.fill(most, of_blocks)
    sinks = list(scope.unused.values())
    outputs: Any = {f"out_{i}": sink.source for i, sink in enumerate(sinks)}
    if all("." not in sink.source for sink in sinks) and draw(st.booleans()):
        outputs = [sink.source for sink in sinks]
    if isinstance(outputs, dict):
        for name in list(outputs)[1:]:
            if draw(st.integers(0, 3)) == 0:
                outputs[name] = {"from": outputs[name], "only": "training"}
    texts = {block.name: block.text for block in blocks}
    texts |= {"mix": MIX} if scope.needs_mix else {}
    texts |= {"borrow": BORROW} if scope.needs_borrow else {}
    return {
        "name": draw(st.sampled_from(["Model", "Net", "Stage", "Residual"])),
        "params": {"hidden": hidden},
        "inputs": inputs,
        **({"blocks": texts} if texts else {}),
        "nodes": _shuffled(draw, scope.nodes),
        "outputs": outputs,
    }


def _embed(scope: Scope) -> None:
    """Add an input of categories, and its embedding."""
    name, node = scope.name(), scope.name()
    shape: Shape = scope.draw(st.sampled_from([(), (5,), ("T",)]))
    scope.inputs[name] = {"shape": list(shape), "vocab": 11}
    width = scope.size()
    scope.nodes[node] = {"layer": "Embedding", "from": name, "embedding_dim": width.option}
    scope.offer(Value(node, (*shape, width.size)))


def _shuffled(draw: st.DrawFn, nodes: Spec) -> Spec:
    """Return the nodes in a random order, which is legal."""
    if draw(st.booleans()):
        return nodes
    return {name: nodes[name] for name in draw(st.permutations(list(nodes)))}
