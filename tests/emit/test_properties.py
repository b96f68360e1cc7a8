"""Properties of every valid graph: its shapes are torch's, and its source computes what its nodes say."""

from __future__ import annotations

import hashlib
import re
import runpy
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

import mimgraph as mg
from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.ir.code import Operand
from mimgraph.ir.dim import Dim, substitute
from mimgraph.ir.lowering import ANCHOR, INPUT, MODULE, RESULT, module_call
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import (
    STEPS,
    Each,
    Leaf,
    Repeated,
    Scan,
    Sequence,
    Shared,
    TypedOperation,
    Use,
    unwrap,
)
from mimgraph.ir.types import DTYPES, TensorType
from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import in_ci
from tests.emit.test_golden import assert_ruff_leaves
from tests.helpers.cases import each as each_case
from tests.helpers.cases import texts
from tests.helpers.running import by_name
from tests.helpers.strategies import Spec, specs, to_yaml
from tests.ops.layers import oracle

Sizes = Mapping[str, int]
Tensors = Mapping[str, Tensor]


def examples(some: int, more: int) -> pytest.MarkDecorator:
    """Run a test on some random specs by default, and on more in CI."""
    return pytest.mark.parametrize("examples", [some, in_ci(more)])


def check_random_specs(examples: int, check: Callable[[Spec], None], **options: Any) -> None:
    slow = [HealthCheck.too_slow]
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=slow)
    limits(given(specs(**options))(check))()


def draws(graph: mg.Graph) -> Iterator[tuple[dict[str, int], dict[str, Tensor]]]:
    """Yield inputs for two choices of the sizes known only at run time, complete and without
    one or all of those that may be left out."""
    sizes = choose_sizes(graph.typed, {})
    larger = {name: size + 3 + index for index, (name, size) in enumerate(sizes.items())}
    optional = graph.typed.body.optional
    for seed, chosen in enumerate((sizes, choose_sizes(graph.typed, larger))):
        inputs = seeded_inputs(graph.typed, oracle.BATCH_SIZE, seed, chosen)
        yield chosen, inputs
        for left_out in {frozenset(optional), frozenset([*optional][:1])} - {frozenset()}:
            yield chosen, {name: x for name, x in inputs.items() if name not in left_out}


def assert_same(ours: Tensors, theirs: Tensors) -> None:
    """Check for the same names in the same order, and values equal up to rounding."""
    assert list(ours) == list(theirs)
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], equal_nan=True)


def doubled(inputs: Tensors) -> Tensors:
    """Return floats in double precision, so that cancellation cannot look like a difference."""
    return {name: x.double() if x.is_floating_point() else x for name, x in inputs.items()}


@torch.no_grad()
def assert_same_outputs(graph: mg.Graph, one: nn.Module, other: nn.Module) -> None:
    """Check that two models in double precision give the same on every draw of inputs."""
    for _, inputs in draws(graph):
        assert_same(*(by_name(model(**doubled(inputs)), graph) for model in (one, other)))


# the graph, interpreted node by node


SKIPPING: Mapping[str, Callable[[Tensor], Tensor]] = {
    "add": lambda x: x.sum(0),
    "average": lambda x: x.mean(0),
    "maximum": lambda x: x.amax(0),
    "minimum": lambda x: x.amin(0),
}


class Interpreter:
    """Runs typed nodes on the modules of a model, without the emitted forwards."""

    def __init__(self, sizes: Sizes, inputs: Tensors) -> None:
        self.sizes = sizes
        self.owners: list[nn.Module] = []  # of the body that runs, and of those around it
        self.anchor = next(x for x in inputs.values() if x.is_floating_point())

    def body(self, body: Body, owner: nn.Module, inputs: Tensors) -> dict[str, Tensor]:
        """Return the outputs of a body whose modules `owner` holds."""
        if body.is_chain:
            (node,) = body.nodes
            assert isinstance(node.operation, Sequence)
            (x,) = inputs.values()
            return dict.fromkeys(body.outputs, self.chain(node.operation, owner, x))
        values: dict[Value, Any] = {Value(name, ""): inputs.get(name) for name in body.inputs}
        self.owners.insert(0, owner)
        for node in body.order:
            operation = node.operation
            name = operation.target if isinstance(operation, Shared) else node.name
            module = next((getattr(one, name) for one in self.owners if hasattr(one, name)), None)
            if isinstance(operation, Shared) and operation.item is not None:
                module = each_part(body.by_name[name].operation, module, operation.item)
            for value in node.arguments.values():
                if value not in values:
                    values[value] = learned(owner, value)
            sources = {key: values[value] for key, value in node.arguments.items()}
            for port, result in self.node(node, module, sources).items():
                self.check(node.results[port], result)
                values[Value(node.name, port)] = result
        del self.owners[0]
        return {name: values[value] for name, value in body.outputs.items()}

    def check(self, type_: TensorType, result: Any) -> None:
        """Check that a result has its inferred shape; in blocks a named size may be any."""
        if result is None or type_.dtype not in DTYPES:
            return  # there is none, or the state of a recurrent layer, which is torch's own
        expected = [substitute(size, {"N": oracle.BATCH_SIZE}) for size in type_.shape]
        assert len(expected) == result.dim()
        for size, extent in zip(expected, result.shape, strict=True):
            assert size == extent or not isinstance(size, int)

    def node(self, node: TypedNode, module: Any, sources: Tensors) -> dict[str, Tensor]:
        """Return every result by port; None if a missing source leaves none."""
        if node.fold is not None:
            return self.on_slices(node, node.fold.axis, module, sources)
        match unwrap(node.operation):
            case Leaf() as leaf if any(x is None for x in sources.values()):
                return {node.default or "": self.without(leaf, module, sources)}
            case Leaf() as leaf:
                return self.leaf(node, leaf, module, sources)
            case Sequence() as chain:
                (x,) = sources.values()
                return {node.default or "": self.chain(chain, module, x)}
            case Use(body):
                return self.ports(self.body(body, module, sources))
            case Repeated() as repeated:
                return self.repeated(repeated, module, sources)
            case Scan(axes=axes) if sources[next(iter(axes))] is None:
                return dict.fromkeys(node.results)  # type: ignore[return-value]
            case Scan() as scan:
                return self.scanned(scan, module, sources)
            case Each() as each:
                return self.each(each, module, sources)

    def each(self, each: Each, module: Any, sources: Tensors) -> dict[str, Tensor]:
        found = {}
        for index, (item, x) in enumerate(zip(each.items, sources.values(), strict=True)):
            part = module if each.one_module else module[index if each.counted else item.name]
            results = self.node(item, part, dict.fromkeys(item.arguments, x))
            found[item.name] = results[item.default or ""]
        return found

    def on_slices(
        self, node: TypedNode, axis: int, module: Any, sources: Tensors
    ) -> dict[str, Tensor]:
        """Return the results of a node on every slice of its sources along an axis, stacked."""
        alone = replace(node, over=None)
        size = next(x for x in sources.values() if x is not None).shape[axis]
        slices = [
            self.node(alone, module, {key: one_of(x, axis, i) for key, x in sources.items()})
            for i in range(size)
        ]
        found = {}
        for port in slices[0]:  # of a chain the default alone
            found[port], type_ = slices[0][port], node.results[port]
            first = found[port]
            if first is not None and type_.batched:
                place = axis if axis <= first.dim() else 1
                found[port] = torch.stack([one[port] for one in slices], place)
        return found

    def leaf(self, node: TypedNode, leaf: Leaf, module: Any, sources: Tensors) -> dict[str, Tensor]:
        lowering = leaf.lowering
        if lowering.module is not None and not isinstance(module, Tensor):
            # whatever class an item of a chain has become
            module = partial(getattr(nn, lowering.module.name).forward, module)
        operands = {**sources, MODULE.key: module, ANCHOR.key: self.anchor}
        for key, code in lowering.steps.items():
            operands[key] = oracle.run(code, operands, self.sizes)
        call = lowering.call or module_call(*map(Operand, sources))
        result = oracle.run(call, operands, self.sizes, training=False)
        if lowering.module is None and not sources:  # a constant has the dtype of the model
            result = result.to(self.anchor)
        found = {"": result}
        if lowering.ports:
            operands[RESULT.key] = result
            ports = lowering.ports.items()
            found = {name: oracle.run(port.code, operands, self.sizes) for name, port in ports}
        if leaf.activation is not None:
            before = found[node.default or ""]
            found[node.default or ""] = oracle.run(leaf.activation, {INPUT.key: before})
        return found

    def without(self, leaf: Leaf, module: Any, sources: Mapping[str, Tensor | None]) -> Any:
        """Return the result if a source is missing: what fills it, or what the others give."""
        there = [x for x in sources.values() if x is not None]
        if leaf.lowering.fallback is not None:
            operands = {ANCHOR.key: self.anchor, MODULE.key: module}
            return oracle.run(leaf.lowering.fallback, operands, self.sizes).to(self.anchor)
        if leaf.lowering.skipping is None or not there:
            return None
        return SKIPPING[leaf.name](torch.stack(there))

    def chain(self, chain: Sequence, module: Any, x: Tensor) -> Tensor:
        for item, part in zip(chain.items, module, strict=True):
            results = self.node(item, part, {key: x for key in item.arguments})
            x = results[item.default or ""]
        return x

    def repeated(self, repeated: Repeated, module: Any, sources: Tensors) -> dict[str, Tensor]:
        values, outputs = dict(sources), {name: sources[name] for name in repeated.carried}
        every: list[Tensor] = []
        bodies = repeated.bodies
        if isinstance(repeated.times, Dim):
            bodies *= int(substitute(repeated.times, self.sizes))
        for index, body in enumerate(bodies):
            if repeated.counter:
                values[repeated.counter] = torch.tensor(index)
            outputs = self.body(body, module if repeated.shared else module[index], values)
            values.update(zip(repeated.carried, outputs.values(), strict=True))
            if repeated.collected is not None:
                every.append(self.ports(outputs)[repeated.collected])
        return {**self.ports(outputs), **({STEPS: torch.stack(every, 1)} if every else {})}

    def scanned(self, scan: Scan, module: Any, sources: Tensors) -> dict[str, Tensor]:
        values, every = dict(sources), list[dict[str, Tensor]]()
        first, axis = next(iter(scan.axes.items()))
        for step in range(sources[first].shape[axis]):
            values |= {name: sources[name].select(axis, step) for name, axis in scan.axes.items()}
            every.append(self.body(scan.body, module, values))
            values |= {name: every[-1][name] for name in scan.carried}
        found = {name: every[-1][name] for name in scan.carried}
        for port, name in scan.stacked.items():
            place = scan.axis + scan.output_type(name).batched
            found[port] = torch.stack([outputs[name] for outputs in every], place)
        return found

    def ports(self, outputs: dict[str, Tensor]) -> dict[str, Tensor]:
        return outputs if len(outputs) > 1 else {"": next(iter(outputs.values()))}


def one_of(x: Tensor | None, axis: int, index: int) -> Any:
    """Return one slice of a tensor; of a missing one None."""
    return None if x is None else x.select(axis, index)


def each_part(each: TypedOperation, modules: Any, key: str) -> Any:
    """Return the module of one port of an `each`, which may have one module for all."""
    if each.sole is not None:
        return modules
    return modules[int(key)] if each.copies else modules[key]


def learned(owner: nn.Module, value: Value) -> Tensor:
    """Return a learned tensor by its key."""
    return owner.get_parameter(f"{value.name}.{value.port}")


def assert_typed(graph: mg.Graph, outputs: Tensors, names: Collection[str], sizes: Sizes) -> None:
    """Check that exactly these outputs are given, with their inferred types."""
    assert outputs.keys() == set(names)
    for name, output in outputs.items():
        assert oracle.shape_of(graph.outputs[name], sizes) == output.shape
        assert f"torch.{graph.outputs[name].dtype}" == str(output.dtype)


@torch.no_grad()
def check_against_the_nodes(text: str) -> None:
    """Check the types of the outputs, and in evaluation their values against the interpreter."""
    graph = mg.loads(text)
    kept = [name for name in graph.outputs if name not in graph.typed.body.training]
    model = graph.compile().eval()
    for sizes, inputs in draws(graph):
        assert_typed(graph, by_name(model.float()(**inputs), graph), kept, sizes)
        precise = doubled(inputs)
        found = Interpreter(sizes, precise).body(graph.typed.body, model.double(), precise)
        assert_same(by_name(model(**precise), graph), {name: found[name] for name in kept})
    trained = by_name(model.float().train()(**inputs), graph)
    assert_typed(graph, trained, graph.outputs, sizes)


@examples(60, 1_000)
def test_outputs_are_as_inferred_and_as_interpreted(examples: int) -> None:
    def check(spec: Spec) -> None:
        check_against_the_nodes(to_yaml(spec))

    check_random_specs(examples, check)


def test_regressions() -> None:
    regressions = texts(Path(__file__).with_name("properties.md"))
    each_case("text", {name: text for name, (text,) in regressions.items()})(
        check_against_the_nodes
    )()


@examples(30, 100)
def test_the_source_run_as_a_file_is_what_compile_makes(tmp_path: Path, examples: int) -> None:
    path = tmp_path / "emitted.py"

    def compare(spec: Spec) -> None:
        graph = mg.loads(to_yaml(spec))
        path.write_text(graph.source())
        models = []
        for make in (graph.compile, runpy.run_path(str(path))[graph.name]):
            torch.manual_seed(0)
            models.append(make().double().eval())
        compiled, run = models
        assert_same(compiled.state_dict(), run.state_dict())
        assert_same_outputs(graph, compiled, run)

    check_random_specs(examples, compare)


# lifting


class WrittenOut:
    """A spec in which every use of a block has a block of its own, with numbers in place of params.

    So every class is constructed in one place, and nothing is left to lift.
    """

    def __init__(self, spec: Spec, graph: mg.Graph) -> None:
        self.blocks: Spec = dict(spec.get("blocks", {}))
        self.given = frozenset(self.blocks)
        self.params: Spec = spec["params"]
        nodes = self.nodes(spec["nodes"], graph.typed.body, self.params)
        self.spec = {**spec, "blocks": self.blocks, "nodes": nodes}

    def nodes(self, nodes: Spec, body: Body, words: Spec) -> Spec:
        return {name: self.node(node, body.by_name[name], words) for name, node in nodes.items()}

    def node(self, node: Spec, typed: TypedNode, words: Spec) -> Spec:
        source = {key: value for key, value in node.items() if key in ("from", "each", "over")}
        if "seq" in node:
            operation = typed.operation
            if isinstance(operation, Each):  # its chains are of layers, and all alike
                operation = operation.items[0].operation
            assert isinstance(operation, Sequence)
            return {**source, "seq": self.items(node["seq"], operation, words)}
        if "block" in node:
            name, options = self.use(node["block"], node, typed.operation, words)
            return {**source, "block": name, **options}
        if isinstance(typed.operation, Scan):
            loop = {key: value for key, value in node.items() if key in ("from", "over", "carry")}
            return {"scan": self.copy(node["scan"], typed.operation.body), **loop}
        return {key: numbers(value, words) for key, value in node.items()}

    def items(self, items: list[Any], chain: Sequence, words: Spec) -> list[Any]:
        written = []
        for item, typed in zip(items, chain.items, strict=True):
            name, options = (item, {}) if isinstance(item, str) else next(iter(item.items()))
            if name in self.given:
                name, options = self.use(name, options, typed.operation, words)
            written.append({name: numbers(options, words)} if options else name)
        return written

    def use(self, name: str, options: Spec, operation: Any, words: Spec) -> tuple[str, Spec]:
        """Return a block for this use alone, and the options that are left."""
        kept: Spec = {key: options[key] for key in ("repeat", "take", "over") if key in options}
        if isinstance(operation, Use):
            return self.copy(name, operation.body), kept
        assert isinstance(operation, Repeated)
        if not operation.bodies:
            return name, {
                key: numbers(value, words) for key, value in options.items() if key != "from"
            }
        if "with" not in (kept["repeat"] if isinstance(kept["repeat"], dict) else {}):
            return self.copy(name, operation.bodies[0]), kept
        copies = [self.copy(name, body) for body in operation.bodies]
        return self.add(name, {"seq": copies}), {key: kept[key] for key in kept if key != "repeat"}

    def copy(self, name: str, body: Body) -> str:
        """Return a block with numbers in place of the params and sizes of this body."""
        block = self.blocks[name]
        words = {**self.params, **body.params, **body.dims}
        inner: Spec
        if "seq" in block:
            (node,) = body.nodes
            assert isinstance(node.operation, Sequence)
            inner = {"seq": self.items(block["seq"], node.operation, words)}
        else:
            inner = {
                "inputs": list(block["inputs"]),
                "nodes": self.nodes(block["nodes"], body, words),
                "outputs": block["outputs"],
            }
        return self.add(name, inner)

    def add(self, name: str, block: Spec) -> str:
        copy = f"{name}_copy{len(self.blocks)}"
        self.blocks[copy] = block
        return copy


def numbers(value: Any, words: Spec) -> Any:
    """Return a value with every `$` expression computed, except sizes known only at run time."""
    if isinstance(value, dict):
        return {key: numbers(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [numbers(inner, words) for inner in value]
    if isinstance(value, str) and value.startswith("$") and not re.search("[TSHW]", value):
        return int(eval(value[1:], {}, dict(words)))
    return value


@examples(40, 200)
def test_lifted_classes_are_those_of_the_blocks_written_out(examples: int) -> None:
    def compare(spec: Spec) -> None:
        graph = mg.loads(to_yaml(spec))
        written_out = mg.loads(to_yaml(WrittenOut(spec, graph).spec))
        models = []
        for made in (graph, written_out):
            torch.manual_seed(0)
            models.append(made.compile().double().eval())
        lifted, flat = models
        assert_same(lifted.state_dict(), flat.state_dict())
        assert_same_outputs(graph, lifted, flat)

    check_random_specs(examples, compare, of_blocks=True)


# text


@examples(50, 300)
def test_ruff_leaves_the_source_as_it_is(tmp_path: Path, examples: int) -> None:
    def collect(spec: Spec) -> None:
        text = mg.loads(to_yaml(spec)).source()
        (tmp_path / f"m{hashlib.sha256(text.encode()).hexdigest()[:16]}.py").write_text(text)

    check_random_specs(examples, collect)
    assert_ruff_leaves(tmp_path)


@examples(40, 1_000)
def test_a_dump_is_the_graph_again(examples: int) -> None:
    def check(spec: Spec) -> None:
        graph = mg.loads(to_yaml(spec))
        again = mg.loads(graph.dumps())
        assert again == graph
        assert again.source() == graph.source()
        assert again.dumps() == graph.dumps()

    check_random_specs(examples, check)
