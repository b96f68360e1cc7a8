"""Decide where emitted code reads the dtype of the model, and which results it casts to it.

In a spec that dtype is called float32. After `.to(torch.bfloat16)` or `.double()` the weights, the
float inputs and all that follows from them have another, but torch still makes float32 of whole
numbers (`ids / 3`). Such a result is cast to the dtype of an input or a weight.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from mimgraph.emit.attributes import attribute, part_code, tensor
from mimgraph.emit.tree import Local
from mimgraph.emit.values import activated
from mimgraph.ir.code import Attribute, Call, Code, ModelDtype, Name, call, rebuild, walk
from mimgraph.ir.lowering import ANCHOR, LazyMapping, Lowering, Module
from mimgraph.ir.names import free_name
from mimgraph.ir.typed_graph import Body, TypedNode, Value
from mimgraph.ir.typed_operations import Leaf, TypedOperation, Use, unwrap
from mimgraph.ir.types import INTEGER, TensorType

# An empty tensor of the module that `.to()` casts as it casts weights, for a class that has neither
# weights nor float inputs. It is not in the state_dict, so that nothing would give it memory on a real
# device if it were made on the meta device: it is made on the CPU, and moves with the rest.
KEPT = "like"
KEPT_TENSOR = call("nn.Buffer", call("torch.empty", 0, device="cpu"), persistent=False)

_HALF = ("float16", "bfloat16")
_NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm")
_QUANTIZED = ("Linear", "Bilinear", "LSTM", "GRU", "RNN", "MultiheadAttention", "Transformer")


def stays_float32(leaf: Leaf, port: str, sources: Iterable[TensorType]) -> bool:
    """Return whether the result is float32 whatever dtype the model has; inference says float32.

    It is if torch computes it from integers, also by the activation, or from halves beside float32.
    """
    lowering = leaf.lowering
    if lowering.results[port].dtype != "float32":
        return True
    if _has_tensors(lowering.module):
        return False  # the result has their dtype
    code = lowering.call
    if code is not None and (_is_cast(code) or ModelDtype in map(type, walk(code))):
        return False  # `torch.zeros_like` takes the dtype of the model itself
    dtypes = {source.dtype for source in sources}
    if "float32" in dtypes:
        return not dtypes.isdisjoint(_HALF)
    return bool(dtypes)


def _is_cast(code: Code) -> bool:
    """Return whether the code ends in `.to(...)`."""
    function = code.function if isinstance(code, Call) else None
    return isinstance(function, Attribute) and function.name == "to"


def nodes_apart(body: Body) -> frozenset[str]:
    """Return the float32 nodes that are computed from integers and read only for integers or bools.

    Such as the bucket of a distance: they meet no tensor of the model and stay float32, as that is exact.
    """
    of_numbers: set[str] = set()
    for node in body.order:
        if _is_plain(node, ("float32",)) and _floats(body, node) <= of_numbers:
            of_numbers.add(node.name)
    readers: dict[str, list[TypedNode]] = {}
    for node in body.order:
        for value in node.arguments.values():
            readers.setdefault(value.name, []).append(node)
    outputs = {value.name for value in body.outputs.values()}
    apart: set[str] = set()
    for node in reversed(body.order):
        if node.name in of_numbers and node.name not in outputs:
            read_by = readers.get(node.name, ())
            if all(r.name in apart or _ends_in_numbers(body, r, of_numbers) for r in read_by):
                apart.add(node.name)
    return frozenset(apart)


def _ends_in_numbers(body: Body, node: TypedNode, of_numbers: set[str]) -> bool:
    """Return whether a node makes integers or bools of floats that are computed from integers."""
    return _is_plain(node, (*INTEGER, "bool")) and _floats(body, node) <= of_numbers


def _is_plain(node: TypedNode, dtypes: Container[str]) -> bool:
    """Return whether a node is a layer or merge without tensors whose results all have these dtypes."""
    leaf = unwrap(node.operation)
    if not isinstance(leaf, Leaf) or not node.arguments or _has_tensors(leaf.lowering.module):
        return False
    return all(result.dtype in dtypes for result in node.results.values())


def _floats(body: Body, node: TypedNode) -> set[str]:
    """Return the names of the float sources of a node."""
    values = node.arguments.values()
    return {v.name for v in values if body.type_of(v).dtype not in (*INTEGER, "bool")}


def _has_tensors(module: Module | None) -> bool:
    """Return whether a module has weights or buffers, or is the user's own and may have them."""
    return module is not None and bool(module.weights or module.buffers or module.own)


def follow(code: Code) -> Code:
    """Return `code`, cast to the dtype of the model."""
    return code.method("to", ModelDtype())


def resolve_dtype(code: Code, dtype: Code) -> Code:
    """Return `code` with the dtype of the model read so."""
    return rebuild(code, lambda part: dtype if isinstance(part, ModelDtype) else None)


def kept_dtype(body: Body | None = None) -> Name:
    """Return `self.like.dtype`, under a name that nothing else in the class of the body has."""
    taken = {*body.inputs, *body.by_name, *body.params, *body.dims} if body else ()
    return Name(f"self.{free_name(KEPT, taken)}.dtype")


def kept_tensor(dtype: Name) -> tuple[tuple[str, Code], ...]:
    """Return the attribute that `kept_dtype` reads, and what makes it."""
    return ((dtype.id.split(".")[1], KEPT_TENSOR),)


def dtype_of_weight(body: Body) -> Code | None:
    """Return the dtype of a weight in the body's module, its own tensors first: `self.cls.dtype`."""
    found = list(_weights_inside(body, Name("self")))
    best = min(found, key=lambda weight: weight.rank, default=None)
    return None if best is None else Attribute(best.code, "dtype")


def dtype_of_input(body: Body, twins: Iterable[Body], read: Iterable[Value]) -> Code | None:
    """Return the dtype of a float input that is always given, in the twins too.

    It is none that the step reads, as that may be what is cast.
    """
    bodies, operands = (body, *twins), set(read)
    for name in body.inputs:
        floats = all(one.inputs[name].dtype == "float32" for one in bodies)
        if floats and name not in body.optional and Value(name, "") not in operands:
            return Attribute(Local(Value(name, "")), "dtype")
    return None


class _Weight(NamedTuple):
    """A float tensor of the model; the lowest rank is the best to read the dtype from."""

    rank: int
    code: Code


def _weights(operation: TypedOperation, code: Code) -> Iterator[_Weight]:
    """Yield the first float tensor of each layer of an operation, whose module is `code`.

    Of repeats the first stands for all.
    """
    match operation:
        case Leaf(lowering=Lowering(module=Module(own=None) as module, type=type_)):
            if module.name in ("Parameter", "Buffer"):
                if type_ is not None and type_.dtype == "float32":
                    yield _Weight(0, code)
            elif isinstance(module.weights, LazyMapping):
                pass  # a pretrained model may be kept in a dtype of its own
            elif path := next(iter(module.weights), ""):
                yield _Weight(_rank(module.name), tensor(code, path))
    for item in operation.items:
        yield from _weights(item.operation, part_code(code, operation, item.name))
    for body in operation.bodies[:1]:
        yield from _weights_inside(body, part_code(code, operation, operation.key(0)))


def _weights_inside(body: Body, module: Code) -> Iterator[_Weight]:
    """Yield the weights of each node of a body, whose layers are attributes of `module`."""
    for node in body.nodes:
        inner = Attribute(module, attribute(node.name, body.by_name))
        yield from _weights(node.operation, module if body.is_chain else inner)


def _rank(layer: str) -> int:
    """Return the rank of a layer's weight: people keep norms in float32, and a quantized weight has no
    dtype any more."""
    return 3 if layer.startswith(_QUANTIZED) else 2 if layer.startswith(_NORMS) else 1


# Decide where the forward of a body reads the dtype of the model, and what it casts to it.


class ModelDtypeOf:
    """The dtype of the model in the forward of one body, which its twins run too."""

    def __init__(self, body: Body, twins: tuple[Body, ...]) -> None:
        self.body = body
        self.twins = twins
        # the attribute with the tensor to read the dtype from, if nothing else in the class has it
        self.kept: tuple[tuple[str, Code], ...] = ()

    def resolved(self, node: TypedNode, code: Code, read: Iterable[Value]) -> Code:
        """Return the code of a node, which reads these values, with the dtype of the model read.

        It is that of an input of the graph, as those are what the caller has; in a block, where
        autocast may have changed the inputs, first that of a weight.
        """
        if node.name in self._apart:
            return resolve_dtype(code, Name("torch.float32"))
        of_input = dtype_of_input(self.body, self.twins, read)
        is_graph = self.body.family == ""
        first, second = (of_input, self._of_weight) if is_graph else (self._of_weight, of_input)
        found = first or second
        if found is None:
            found = kept_dtype(self.body)
            self.kept = kept_tensor(found)
        return resolve_dtype(code, found)

    @cached_property
    def _apart(self) -> frozenset[str]:
        return nodes_apart(self.body)

    @cached_property
    def _of_weight(self) -> Code | None:
        return dtype_of_weight(self.body)

    def cast(self, node: TypedNode, leaf: Leaf, port: str, code: Code) -> Code:
        """Return the code of a result, cast if it is float32 whatever dtype the model has."""
        if node.results[port].dtype != "float32" or not node.arguments:
            return code
        sources = map(self.body.type_of, node.arguments.values())
        stays = stays_float32(leaf, port, sources) or self._stays_in_twins(node.name, port)
        return follow(code) if stays and node.name not in self._apart else code

    def _stays_in_twins(self, name: str, port: str) -> bool:
        for body in self.twins:
            twin = body.by_name.get(name)  # None of an item of an `each`
            leaf = None if twin is None else unwrap(twin.operation)
            if twin is not None and isinstance(leaf, Leaf):
                sources = map(body.type_of, twin.arguments.values())
                if stays_float32(leaf, port, sources):
                    return True
        return False

    def block_result(self, node: TypedNode, use: Use, code: Code) -> Code:
        """Return a block's default result with its activation, cast if that makes floats of integers."""
        assert node.default is not None
        before, after = use.body.results[node.default], node.results[node.default]
        code = activated(use, code)
        return follow(code) if before.dtype != after.dtype == "float32" else code


# Choose the input on whose device a node without sources makes its tensor.


def anchored(code: Code, bodies: Sequence[Body]) -> Code:
    """Return the code with an input in place of the anchor, one that is given in all bodies.

    Of `anchor.new_zeros(2, dtype=...)` that is an input of this dtype, if there is one, as then
    people write no dtype: `x.new_zeros(2)`.
    """
    required = [
        name
        for name in bodies[0].required_inputs
        if all(name in body.required_inputs for body in bodies)
    ]

    def alike(dtype: str) -> list[str]:
        return [name for name in required if all(b.inputs[name].dtype == dtype for b in bodies)]

    def replace(part: Code) -> Code | None:
        if part == ANCHOR:
            return Local(Value(required[0], ""))
        match part:
            case Call(Attribute(value, method), args, (("dtype", dtype),)) if value == ANCHOR:
                name = dtype.id.removeprefix("torch.") if isinstance(dtype, Name) else "float32"
                assert isinstance(dtype, Name | ModelDtype)
                keywords = () if (found := alike(name)) else (("dtype", dtype),)
                anchor = Local(Value((found or required)[0], ""))
                return Call(Attribute(anchor, method), args, keywords)
        return None

    return rebuild(code, replace)
