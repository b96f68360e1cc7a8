"""An oracle for optional inputs: it runs a spec node by node, with None for a missing tensor.

It does not use the library's own analysis of what is missing. Random specs for it are drawn here too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
import yaml
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

Spec = dict[str, Any]
Values = dict[str, Tensor | None]


def optional_inputs(spec: Spec) -> list[str]:
    """Return the inputs that may be left out."""
    return [name for name, one in spec["inputs"].items() if "optional" in one]


def subsets(names: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield every subset of the names."""
    for size in range(len(names) + 1):
        yield from itertools.combinations(names, size)


# layers and merges, on sources that may be None


def gru_cell(module: nn.Module, node: Spec, input: Tensor, hidden: Tensor | None = None) -> Any:
    return module(input) if hidden is None else module(input, hidden)


def gru(
    module: nn.GRU,
    node: Spec,
    input: Tensor,
    lengths: Tensor | None = None,
    state: Tensor | None = None,
) -> Any:
    """Return the final hidden state, each sample on its own."""
    lasts = []
    for index, row in enumerate(input):
        steps = row if lengths is None else row[: int(lengths[index])]
        before = None if state is None else state[index][None, None]
        lasts.append(module(steps[None], before)[1][-1, 0])
    return torch.stack(lasts)


def multihead_attention(
    module: nn.MultiheadAttention,
    node: Spec,
    query: Tensor,
    key: Tensor | None = None,
    key_padding_mask: Tensor | None = None,
    attn_mask: Tensor | None = None,
) -> Any:
    key = query if key is None else key
    if attn_mask is not None:
        attn_mask = attn_mask.repeat_interleave(node["num_heads"], 0)
    return module(
        query, key, key, key_padding_mask=key_padding_mask, attn_mask=attn_mask, need_weights=False
    )[0]


def encoder_layer(
    module: nn.TransformerEncoderLayer,
    node: Spec,
    src: Tensor,
    src_key_padding_mask: Tensor | None = None,
) -> Any:
    return module(src, src_key_padding_mask=src_key_padding_mask)


def attention(
    module: nn.Module,
    node: Spec,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
) -> Any:
    if mask is not None and mask.dim() == 2:
        mask = mask[:, None]
    if bias is not None:
        mask = bias if mask is None else bias.masked_fill(~mask, -torch.inf)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def mean_pool(module: nn.Module, node: Spec, input: Tensor, mask: Tensor | None = None) -> Any:
    if mask is None:
        return input.mean(1)
    real = mask[:, :, None].to(input.dtype)
    return (input * real).sum(1) / real.sum(1)


def attention_pool(module: Any, node: Spec, input: Tensor, mask: Tensor | None = None) -> Any:
    score = module.score(input)
    if mask is not None:
        score = score.masked_fill(~mask[:, :, None], -torch.inf)
    return (score.softmax(1) * input).sum(1)


LAYERS: dict[str, Callable[..., Any]] = {
    "Linear": lambda module, node, input: module(input),
    "ReLU": lambda module, node, input: input.relu(),
    "LogicalNot": lambda module, node, input: ~input,
    "Unsqueeze": lambda module, node, input: input.unsqueeze(node["dim"]),
    "GRUCell": gru_cell,
    "GRU": gru,
    "MultiheadAttention": multihead_attention,
    "TransformerEncoderLayer": encoder_layer,
    "attention": attention,
    "mean_pool": mean_pool,
    "attention_pool": attention_pool,
}
FOLDS: dict[str, Callable[[list[Tensor]], Tensor]] = {
    "add": lambda xs: torch.stack(xs).sum(0),
    "average": lambda xs: torch.stack(xs).mean(0),
    "maximum": lambda xs: torch.stack(xs).amax(0),
    "minimum": lambda xs: torch.stack(xs).amin(0),
    "multiply": lambda xs: torch.stack(xs).prod(0),
    "concat": lambda xs: torch.cat(xs, 1),
}


def fill(weight: Any, input: Tensor | None, present: Tensor | None, zeros: Tensor) -> Tensor:
    """Return for each row the source, or its replacement where it is missing."""
    other = weight if isinstance(weight, Tensor) else torch.zeros(zeros.shape[1:]).to(zeros)
    rows = [
        other if input is None or (present is not None and not present[index]) else input[index]
        for index in range(len(zeros))
    ]
    return torch.stack(rows)


def weighted_sum(module: nn.Module, node: Spec, given: list[tuple[int, Tensor]]) -> Tensor:
    weights = torch.stack([module.get_parameter("weight")[index] for index, _ in given])
    if node.get("softmax", True):
        weights = weights.softmax(0)
    return torch.stack([w * x for w, (_, x) in zip(weights, given, strict=True)]).sum(0)


# the interpreter


class Interpreter:
    """Runs the nodes of a spec on the modules of its model, in the order of the spec."""

    def __init__(self, spec: Spec, shapes: Mapping[str, Tensor]) -> None:
        self.spec = spec
        self.shapes = shapes  # zeros of each node that fills

    def run(self, model: nn.Module, inputs: Mapping[str, Tensor]) -> Values:
        """Return the outputs by name, also those for training only."""
        values: Values = {name: inputs.get(name) for name in self.spec["inputs"]}
        self.nodes(self.spec["nodes"], model, values)
        outputs = self.spec["outputs"]
        if isinstance(outputs, str):
            return {outputs: values[outputs]}
        sources = {n: s["from"] if isinstance(s, dict) else s for n, s in outputs.items()}
        return {name: values[source] for name, source in sources.items()}

    def nodes(self, nodes: Spec, owner: nn.Module, values: Values) -> None:
        for name, node in nodes.items():
            owned = node.get("share", name)
            declared = {**nodes[owned], "from": node["from"]} if "share" in node else node
            if "each" in node:
                for source in node["each"]:
                    module = getattr(owner, name)[source]
                    values[f"{name}.{source}"] = self.layer(node, module, {"input": values[source]})
            elif "block" in declared:
                self.block(name, declared, getattr(owner, owned), values)
            else:
                values[name] = self.node(name, node, owner, values)

    def node(self, name: str, node: Spec, owner: nn.Module, values: Values) -> Tensor | None:
        owned = node.get("share", name)
        declared = self.spec["nodes"][owned] if "share" in node else node
        module = getattr(owner, owned, None)
        sources = node["from"]
        if declared.get("layer") == "Fill":
            named = sources if isinstance(sources, dict) else {"input": sources}
            present = values[named["present"]] if "present" in named else None
            return fill(module, values[named["input"]], present, self.shapes[name])
        if "seq" in declared:
            x = values[sources]
            return None if x is None else module(x)  # type: ignore[misc]
        if "merge" in declared and isinstance(sources, list):
            return self.merge(declared, module, [values[source] for source in sources])
        if not isinstance(sources, dict):
            sources = {"input": sources}
        return self.layer(declared, module, {k: values[source] for k, source in sources.items()})

    def layer(self, node: Spec, module: Any, given: Values) -> Tensor | None:
        first = next(iter(given.values()))
        if first is None:
            return None
        kind = node.get("layer") or node["merge"]
        (_, *others) = given.items()
        result: Tensor = LAYERS[kind](module, node, first, **dict(others))
        return result.relu() if "activation" in node else result

    def merge(self, node: Spec, module: Any, sources: list[Tensor | None]) -> Tensor | None:
        given = [(index, x) for index, x in enumerate(sources) if x is not None]
        assert len(given) in (0, len(sources)) or node.get("missing") == "skip"
        if not given:
            return None
        if node["merge"] == "weighted_sum":
            return weighted_sum(module, node, given)
        result = FOLDS[node["merge"]]([x for _, x in given])
        return result.relu() if "activation" in node else result

    def block(self, name: str, node: Spec, module: Any, values: Values) -> None:
        """Run a block, repeated if the node says so, and keep its results."""
        declared = self.spec["blocks"][node["block"]]
        sources = node["from"] if isinstance(node["from"], list) else [node["from"]]
        inside: Values = dict.fromkeys(declared["inputs"])
        inside |= {key: values[s] for key, s in zip(inside, sources, strict=False)}
        outputs: Any = declared["outputs"]
        outputs = {"": outputs} if isinstance(outputs, str) else outputs
        found: Values = dict.fromkeys(outputs)
        if values[sources[0]] is not None:
            repeat = node.get("repeat")
            shared = [module] * repeat["times"] if isinstance(repeat, dict) else [module]
            for one in module if isinstance(repeat, int) else shared:
                within = dict(inside)
                self.nodes(declared["nodes"], one, within)
                found = {port: within[source] for port, source in outputs.items()}
                inside |= {next(iter(inside)): found[""]} if "" in found else found
        values |= {f"{name}.{port}" if port else name: x for port, x in found.items()}


# random specs on vectors of one size


class Value(NamedTuple):
    """A value, and the choices of inputs left out for which it is present."""

    source: str
    there: frozenset[tuple[str, ...]]


BLOCKS = """
both:
  inputs: [x, g]
  nodes:
    p: {layer: Linear, from: x, out_features: 3}
    q: {layer: Linear, from: g, out_features: 3}
    s: {merge: add, from: [p, q], missing: skip}
  outputs: {s: s, q: q}
filled:
  inputs: {x: [3], g: {shape: [3], optional: true}}
  nodes:
    f: {layer: Fill, from: g, value: learned, init: ones}
    m: {merge: multiply, from: [x, f]}
    r: {merge: add, from: [m, x], activation: ReLU}
  outputs: r
"""


class Writer:
    """A random spec that is being written; inputs `a` and `b` and the flag `has` are optional."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        optional: Spec = {"shape": [3], "optional": True}
        flag: Spec = {"shape": [], "dtype": "bool", "optional": True}
        self.inputs: Spec = {"x": {"shape": [3]}, "a": optional, "b": optional, "has": flag}
        self.choices = frozenset(subsets(["a", "b", "has"]))
        self.nodes: Spec = {}
        self.values = [Value("x", self.choices), self.input("a"), self.input("b")]
        self.unused = {"a", "b"}
        self.flag_used = False
        self.skips: tuple[str, ...] = ("add", "average", "maximum", "minimum", "weighted_sum")

    def input(self, name: str) -> Value:
        return Value(name, frozenset(c for c in self.choices if name not in c))

    def pick(self) -> Value:
        return self.draw(st.sampled_from(self.values))

    def add(self, node: Spec, there: frozenset[tuple[str, ...]], *used: Value) -> Value:
        name = f"n{len(self.nodes)}"
        self.unused -= {value.source for value in used}
        self.nodes[name] = node
        self.offer(made := Value(name, there))
        return made

    def offer(self, value: Value) -> None:
        self.values.append(value)
        self.unused.add(value.source)

    def layer(self) -> None:
        x = self.pick()
        activation = {"activation": "ReLU"} if self.draw(st.booleans()) else {}
        node = {"layer": "Linear", "from": x.source, "out_features": 3, **activation}
        made = self.add(node, x.there, x)
        if self.draw(st.booleans()):
            other = self.pick()
            self.add({"share": made.source, "from": other.source}, other.there, other)

    def recurrent(self) -> None:
        """Add a layer that takes an optional state."""
        x, state = self.pick(), self.pick()
        if self.draw(st.booleans()):
            sources = {"input": x.source, "hidden": state.source}
            self.add({"layer": "GRUCell", "from": sources, "hidden_size": 3}, x.there, x, state)
            return
        steps = self.add({"layer": "Unsqueeze", "from": x.source, "dim": 1}, x.there, x)
        self.values.pop()
        sources = {"input": steps.source, "state": state.source}
        node = {"layer": "GRU", "from": sources, "hidden_size": 3, "take": "last"}
        self.add(node, x.there, steps, state)

    def fill(self) -> None:
        x = self.pick()
        sources: Any = x.source
        if self.draw(st.booleans()):
            sources = {"input": x.source, "present": "has"}
            self.flag_used = True
        value = self.draw(st.sampled_from(["zeros", "learned"]))
        init = {"init": "ones"} if value == "learned" else {}
        node = {"layer": "Fill", "from": sources, "value": value, **init}
        self.add(node, self.choices, x)

    def merge(self) -> None:
        """Add a merge of values that are present together."""
        x = self.pick()
        alike = [value for value in self.values if value.there == x.there]
        sources = [x, *self.draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2))]
        merge = self.draw(st.sampled_from(["add", "multiply", "maximum"]))
        self.add({"merge": merge, "from": [s.source for s in sources]}, x.there, *sources)

    def skip(self) -> None:
        sources = self.draw(st.lists(st.sampled_from(self.values), min_size=2, max_size=3))
        merge = self.draw(st.sampled_from(self.skips))
        there = frozenset[tuple[str, ...]]().union(*(value.there for value in sources))
        node: Spec = {"merge": merge, "from": [s.source for s in sources], "missing": "skip"}
        if merge == "weighted_sum":
            node["softmax"] = self.draw(st.booleans())
        self.add(node, there, *sources)

    def block(self) -> None:
        x, g = self.pick(), self.pick()
        block = self.draw(st.sampled_from(["both", "filled"]))
        node: Spec = {"block": block, "from": [x.source, g.source]}
        if block == "filled":
            repeat = {"repeat": 2} if self.draw(st.booleans()) else {}
            used = (x, g) if self.draw(st.booleans()) else (x,)
            sources = [one.source for one in used]
            made = self.add({**node, **repeat, "from": sources}, x.there, *used)
            if self.draw(st.booleans()):
                x, g = self.pick(), self.pick()
                used = (x, g) if self.draw(st.booleans()) else (x,)
                share = {"share": made.source, "from": [one.source for one in used]}
                self.add(share, x.there, *used)
            return
        made = self.add(node, x.there, x, g)
        self.values.pop()
        self.unused.discard(made.source)
        self.offer(Value(f"{made.source}.s", x.there))
        self.offer(Value(f"{made.source}.q", x.there & g.there))

    def finish(self) -> Spec:
        """Return the spec, with the sum of all unused values as output, and outputs for training only."""
        always = [v for v in self.values if v.there == self.choices and v.source != "x"]
        heads = self.draw(st.lists(st.sampled_from(always), max_size=2)) if always else []
        outputs: Any = {"score": "score"}
        for index, head in enumerate(heads):
            aux = self.add({"layer": "Linear", "from": head.source, "out_features": 2}, head.there)
            outputs[f"aux{index}"] = {"from": aux.source, "only": "training"}
            self.unused -= {head.source, aux.source}
        sources = ["x", "x", *sorted(self.unused)]
        self.nodes["score"] = {"merge": "add", "from": sources, "missing": "skip"}
        if not self.flag_used:
            del self.inputs["has"]
        outputs = outputs if heads else "score"
        blocks = yaml.safe_load(BLOCKS)
        return {"inputs": self.inputs, "blocks": blocks, "nodes": self.nodes, "outputs": outputs}


@st.composite
def specs(draw: st.DrawFn, simple: bool = False) -> Spec:
    """Draw a valid spec with optional inputs; if it is `simple`, nodes are of few ops."""
    writer = Writer(draw)
    kinds = [writer.layer, writer.fill, writer.merge, writer.skip]
    if simple:
        writer.skips = ("add", "average")
    else:
        kinds += [writer.recurrent, writer.block]
    for make in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=8)):
        make()
    return writer.finish()
