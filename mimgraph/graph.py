"""The public graph: one face for both front ends, on what checks, emits, runs and draws it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from errno import EISDIR
from functools import cached_property, partial
from os import PathLike
from typing import TYPE_CHECKING, Any, NoReturn, overload

from mimgraph.compare.equality import same
from mimgraph.diagnostics import Diagnostic, Report, SpecError
from mimgraph.infer.graph import infer
from mimgraph.ir.graph import Graph as DeclaredGraph
from mimgraph.ir.typed import Sequence, TypedGraph, TypedNode, unwrap
from mimgraph.ir.types import Constraint, Shape, TensorType
from mimgraph.language import safetensors_header
from mimgraph.language.foreign_files import refuse_foreign
from mimgraph.language.reader.spec import read
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.source import SourceFile
from mimgraph.support.arguments import (
    as_flag,
    as_mapping,
    as_names,
    as_path,
    as_plain,
    as_text,
    shown,
)
from mimgraph.support.files import write_whole
from mimgraph.support.gc_pause import uncollected
from mimgraph.support.ipython import Shown

if TYPE_CHECKING:
    import networkx as nx
    import torch
    from torch import Tensor as TorchTensor
    from torch import nn

    from mimgraph.builder import BlockCall, Family, GraphLayer, Outputs, Param, Tensor
    from mimgraph.compare.review import Review
    from mimgraph.picture.details.model import Detail
    from mimgraph.picture.scene import Direction, Theme
    from mimgraph.pipeline.torch_stage import Sender
    from mimgraph.runtime.error_notes import Origin
    from mimgraph.runtime.export import DynamicShapes
    from mimgraph.runtime.input_check import InputCheck
    from mimgraph.runtime.weight_transfer.load import Transfer
    from mimgraph.summary.summary import Summary


_BY_NAME = "graph.inputs, graph.outputs and graph.shapes have what it holds, by name"


class Graph(Shown):
    """A checked graph, from the handles of its outputs: one, a list, or a dict by public name; an
    `mg.Output` says more of one."""

    declared: DeclaredGraph
    typed: TypedGraph

    def __init__(
        self,
        outputs: Outputs,
        name: str = "Model",
        doc: str = "",
    ) -> None:
        from mimgraph.builder import declare_graph, raise_faults

        doc = as_text("doc", doc)
        report = Report()
        with uncollected():
            self.declared = declare_graph(outputs, name, doc)
            typed = infer(self.declared, report)
        raise_faults(report, self.declared.origin)
        assert typed is not None
        self.typed = typed

    @property
    def name(self) -> str:
        return self.typed.name

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        """The type of every input, in order."""
        return self.typed.body.inputs

    @property
    def outputs(self) -> Mapping[str, TensorType]:
        """The type of every output by its public name."""
        body = self.typed.body
        return {name: body.type_of(value) for name, value in body.outputs.items()}

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of every input, node and port: `image`, `lstm`, `lstm.last`."""
        found = {name: type_.shape for name, type_ in self.inputs.items()}
        for node in self.typed.body.nodes:
            if node.type is not None:
                found[node.name] = node.type.shape
            found |= {f"{node.name}.{p}": t.shape for p, t in node.results.items() if p}
        return found

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the warnings of a legal spec: the params that nothing uses."""
        from mimgraph.infer.advice.warnings import warnings

        return warnings(self.declared)

    @cached_property
    def blocks(self) -> Mapping[str, Family]:
        """Return the blocks by name, to be called in Python:
        `graph.blocks["residual"](stride=2)(x)`.

        A block that a Python function declared calls that function again. So it takes all params of
        the function, also those that decide something in Python, which the dump does not have.
        """
        from mimgraph.builder import spec_blocks

        return spec_blocks(self.declared)

    @overload
    def __call__(
        self, source: Tensor, /, *sources: Tensor, name: str | None = None, **named: Tensor | Param
    ) -> Tensor: ...
    @overload  # without arguments it is a layer, too
    def __call__(self, /, **params: Param) -> BlockCall: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, /, *, name: str | None = None, **named: Tensor | Param) -> Tensor: ...
    def __call__(self, /, *sources: Any, **named: Any) -> Tensor | BlockCall:
        """The graph as a layer of another, in a class of its own: `tower(image, name="left")`.

        Called twice it is one module, as a layer is. Its params and `freeze` are options:
        `tower(freeze=True)` is a layer too, of weights of its own.
        """
        return self._block.call(sources, named)

    def as_layer(self) -> BlockCall:
        """Return the graph as an item of a `Sequential`, with its params."""
        return self._block.applied({})

    @cached_property
    def _block(self) -> GraphLayer:
        from mimgraph.builder import GraphLayer

        return GraphLayer(self.declared)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What must hold of the sizes that are known only at run time."""
        return self.typed.constraints

    def dumps(self) -> str:
        """The graph as YAML."""
        from mimgraph.language.writer import write

        return write(self.declared)

    def dump(self, path: str | PathLike[str] | None = None) -> None:
        """Write the graph as YAML to a file, or to the standard output."""
        if path is None:
            sys.stdout.write(self.dumps())
        else:
            write_whole(as_path("the file to write", path), self.dumps())

    @uncollected()
    def source(self) -> str:
        """The module as a stand-alone Python file that needs only torch."""
        from mimgraph.emit.emit import emit

        return emit(self.typed).text

    @uncollected()
    def compile(self, *, check: bool = False) -> nn.Module:
        """The module, made from that very source; its weights are drawn from torch's seed.

        With `check`, every call first looks at its inputs, their sizes, dtypes and ranges: a
        `ValueError` tells all that does not fit. A `SpecError` names the options that the installed
        torch does not have yet.
        """
        from mimgraph.runtime.error_notes import explain_failures
        from mimgraph.runtime.installed import check_installed_torch

        check = as_flag("check", check)
        check_installed_torch(self.typed)
        made = explain_failures(self._classes()[self.name](), self.typed)
        if check:
            made.register_forward_pre_hook(self._input_check(), with_kwargs=True)
        return made

    def dynamic_shapes(
        self, given: Iterable[str] | Mapping[str, TorchTensor | None] | None = None
    ) -> DynamicShapes:
        """What `torch.export` and the ONNX exporter take, so that the batch and all named sizes stay open.

        A name is one `torch.export.Dim` wherever it stands, within the graph's constraints; the batch
        is `N`. If optional inputs are left out, `given` are the others, or their names:

            torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes(inputs))

        torch takes no size for 1 that it is to keep open, of the example too; and it keeps no length
        open that an LSTM, GRU or RNN or a MaxPool1d runs over: take that axis out.
        """
        from mimgraph.runtime.export import dynamic_shapes

        names = [*self.inputs] if given is None else given
        if not isinstance(names, Mapping):
            names = as_names("given", names)
        return dynamic_shapes(self.typed, names)

    def _input_check(self) -> InputCheck:
        from mimgraph.runtime.input_check import InputCheck

        return InputCheck(self.typed, self.dumps, restore_check)

    def _classes(self) -> Mapping[str, Any]:
        """What the source defines, by name."""
        return _define(self.typed, self.dumps, restore)

    def split(self, stages: Iterable[str] | str | int) -> tuple[Stage, ...]:
        """Its stages for `torch.distributed.pipelining`, of which each named node begins one.

        Of a node that repeats a block, `encoded.3` begins one at its fourth time; chains and single
        blocks stay whole. For a number it makes as many, of which the largest has as few parameters
        and multiply-accumulates as can be.
        A `ValueError` tells where a stage would need of another what cannot be sent: a weight, or
        what may be missing.
        """
        from mimgraph.pipeline.split import split

        starts = tuple(dict.fromkeys(_starts(self.typed, stages)))
        parts = split(self.typed, starts)
        return tuple(
            Stage(self, starts, index, typed, is_last=typed is parts[-1])
            for index, typed in enumerate(parts)
        )

    def save(self, model: nn.Module, path: str | PathLike[str]) -> None:
        """Write the model's weights as .safetensors with this spec in the metadata.

        That file is all that `load_model` needs; `load` reads the graph from it.
        """
        from mimgraph.runtime.weights import as_module, save

        file = as_path("the file to write", path)
        save(as_module(model), self.compile, file, safetensors_header.metadata(self.dumps()))

    def load_weights(self, model: nn.Module, path: str | PathLike[str]) -> None:
        """Copy the weights of a .safetensors file into the model; what does not fit is named."""
        from mimgraph.runtime.weights import as_module, load_weights

        load_weights(as_module(model), as_path("the file of weights", path))

    def load_state(
        self,
        model: nn.Module,
        other: nn.Module | Mapping[str, TorchTensor],
        *,
        inputs: Mapping[str, str] | None = None,
        strict: bool = True,
        sizes: Mapping[str, int] | None = None,
    ) -> Transfer:
        """Copy the weights of `other`, a module that others wrote, into the model.

        Both are run once. Each of our tensors takes the one that has its shape and is used like it:
        fed by the same, feeding the same, else the next in order of use. Tensors of one module stay
        together. Projections of queries, keys and values may be joined in one model and separate in
        the other, and matrices stored transposed. `inputs` has the other's argument for each of our
        inputs (`{"text": "input_ids"}`), `sizes` the named sizes to run with. `other` may also be a
        `state_dict`, which is matched by names and order.

        A `ValueError` names what does not fit, and nothing is copied: a tensor of ours without a
        match, or one of the other's that is left over, unless our outputs are proven to be outputs
        of the other without it. With `strict=False` the rest is copied. The result tells what came
        from where, what did not fit and which outputs are proven to be equal; a warning names
        outputs that differ.
        """
        from mimgraph.runtime.weight_transfer.load import load_state
        from mimgraph.runtime.weights import as_module, as_weights

        strict = as_flag("strict", strict)
        taken = as_module(model), as_weights(other)
        return load_state(self.typed, *taken, strict, inputs, sizes)

    @uncollected()
    def summary(
        self,
        batch: int | None = None,
        sizes: Mapping[str, int] | None = None,
        depth: int | None = None,
    ) -> Summary:
        """A table of the nodes: their shapes, weights, multiply-accumulates and activations.

        `batch` and `sizes` fill in what is known only at run time: `batch=32, sizes={"T": 128}`;
        `depth` is how far blocks are opened. `.totals()`, `.data()`, `.csv()` and `.markdown()` give
        the same for other tools.
        """
        from mimgraph.summary.summary import summary

        sizes = as_plain("sizes", as_mapping("sizes", sizes, '{"T": 128}'))
        return summary(self.typed, as_plain("batch", batch), sizes, depth)

    @uncollected()
    def draw(
        self,
        path: str | PathLike[str],
        *,
        direction: Direction = "TB",
        depth: int | None = None,
        collapse: bool = False,
        theme: Theme = "light",
    ) -> None:
        """Draw the graph; the ending of the file's name says how: .svg, .png, .pdf, .dot, .mmd, or
        .html, an interactive page.

        It runs from top to bottom, or in the direction "LR" from left to right. Blocks are open
        down to `depth` (None: all); `collapse` draws four layers in a row, or more, as one,
        and only once what repeats.
        """
        from mimgraph.picture import draw

        collapse = as_flag("collapse", collapse)
        how = {"direction": direction, "depth": depth, "collapse": collapse, "theme": theme}
        draw(self.typed, as_path("the file to draw", path), **how, details=self._details)

    def _details(self) -> Mapping[str, Detail]:
        """What can be told of each thing in a picture."""
        from mimgraph.emit.source_map import excerpts
        from mimgraph.picture.details.build import details

        declared = None if self.typed.is_stage else self.declared
        return details(self.typed, declared, excerpts(self.typed))

    def to_networkx(self) -> nx.DiGraph[str]:
        """The names of inputs and nodes, with `layer`, `shape` and `dtype`, and what feeds what."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph(name=self.name)
        for name, type_ in self.inputs.items():
            graph.add_node(name, layer="Input", shape=type_.shape, dtype=type_.dtype)
        for node in self.typed.body.nodes:
            shape, dtype = (node.type.shape, node.type.dtype) if node.type else (None, None)
            graph.add_node(node.name, layer=_layer(node), shape=shape, dtype=dtype)
        for node in self.typed.body.nodes:
            graph.add_edges_from((value.name, node.name) for value in node.arguments.values())
        return graph

    def __eq__(self, other: object) -> bool:
        """Whether two graphs are the same when typed, however they were written."""
        return same(self.typed, other.typed) if isinstance(other, Graph) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be unpacked: {_BY_NAME}")

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError(f"nothing is in {self!r} itself: {_BY_NAME}")

    @uncollected()
    def _repr_html_(self) -> str:
        """Its picture, in a notebook."""
        from mimgraph.picture.notebook import graph_html

        return graph_html(self.typed)

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {', '.join(self.inputs)} -> {', '.join(self.outputs)}>"


class Stage(Graph):
    """A stage of a graph, which is a graph: `PipelineStage` takes the module that it compiles to.

    That takes by position what the stage before gives, and by name the optional inputs that it
    reads. It returns a tensor or a tuple, the last stage of the outputs in their order. Weights
    have the names that they have in the graph.
    """

    def __init__(
        self, whole: Graph, starts: tuple[str, ...], index: int, typed: TypedGraph, is_last: bool
    ) -> None:
        self.whole = whole
        self.starts = starts
        self.index = index
        self.typed = typed
        self.is_last = is_last

    @property
    def declared(self) -> DeclaredGraph:  # type: ignore[override]  # it is no spec of its own
        raise ValueError(
            f"{self.name} is a stage, which has no spec of its own; that of {self.whole.name} is its"
            " `whole`"
        )

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the warnings of the whole graph."""
        return self.whole.warnings

    def split(self, stages: Iterable[str] | str | int) -> tuple[Stage, ...]:
        raise ValueError(f"{self.name} is a stage, which is not split again; split its `whole`")

    def compile(self, *, check: bool = False) -> nn.Module:
        """The module; what it sends, results and gradients, are tensors without gaps."""
        from mimgraph.pipeline.torch_stage import receive_dense

        made = super().compile(check=check)
        made.register_forward_pre_hook(receive_dense)
        made.register_forward_hook(self._sender)
        return made

    def metadata(
        self, batch: int, /, *, dtype: torch.dtype | None = None, **sizes: int
    ) -> dict[str, tuple[TorchTensor, ...]]:
        """The `input_args` and `output_args` of a `PipelineStage`, for a microbatch of this size.

        `dtype` is that of the floats if the model is not float32: `torch.bfloat16` after
        `.to(torch.bfloat16)`, nothing under autocast. Without them torch tries the stages with
        tensors of any values, of which a BatchNorm would learn, and an Embedding fail.

        What is told is a promise to the next stage: from then on the modules of this one cast to
        that dtype what they send, and raise a `ValueError` if it has a shape that was never told, as
        of a last batch that is smaller.
        """
        from mimgraph.pipeline.torch_stage import check_told, metadata

        check_told(self.whole.typed, batch, sizes, dtype)
        told = metadata(self.typed, batch, sizes, dtype)
        if not self.is_last:  # which sends nothing
            self._sender.promise(told["output_args"], {"N": batch, **sizes})
        return told

    @cached_property
    def _sender(self) -> Sender:
        from mimgraph.pipeline.torch_stage import Sender

        return Sender(self.name)

    def _classes(self) -> Mapping[str, Any]:
        restored = partial(restore_stage, self.starts, self.index)
        return _define(self.typed, self.whole.dumps, restored)

    def _input_check(self) -> InputCheck:
        from mimgraph.runtime.input_check import InputCheck

        restored = partial(restore_stage_check, self.starts, self.index)
        return InputCheck(self.typed, self.whole.dumps, restored)


def _starts(graph: TypedGraph, stages: Iterable[str] | str | int) -> Iterable[str]:
    """The nodes that begin a stage, but for the first: those named, or for a number the best."""
    from mimgraph.pipeline.balance import balanced

    if isinstance(stages, int) and not isinstance(stages, bool):
        return balanced(graph, stages)
    if isinstance(stages, str):
        return [stages]
    names: list[Any] = [*stages] if isinstance(stages, Iterable) else [stages]
    if odd := [name for name in names if not isinstance(name, str)]:
        raise TypeError(f"split takes a number of stages or names of nodes, not {odd[0]!r:.40}")
    return names


def _define(
    typed: TypedGraph, spec: Callable[[], str], restored: Callable[..., nn.Module]
) -> Mapping[str, Any]:
    """What the source defines, by name."""
    from mimgraph.emit.emit import emit
    from mimgraph.runtime.loader import load

    file = emit(typed)
    return vars(load(file.text, spec, restored, file.own, file.layers))


def _layer(node: TypedNode) -> str:
    """What a node is, in one word."""
    operation = unwrap(node.operation)
    if operation.branches:
        return _layer(operation.branches[0])
    if operation.is_block and not operation.bodies:
        return "Identity"
    return "Sequential" if isinstance(operation, Sequence) else operation.op_name


def diff(old: Graph, new: Graph) -> Review:
    """What changed from one graph to another; it prints as text, and is false if nothing did.

    `.markdown()` is for a pull request, `.draw("diff.svg")` a picture of both, `.data()` plain.
    """
    from mimgraph.compare.compare import difference
    from mimgraph.compare.review import Review

    for graph in (old, new):
        if not isinstance(graph, Graph):
            raise TypeError(f"diff compares two graphs, but one is {graph!r:.40}")
    told = difference(old.typed, new.typed)
    return Review(old.typed, new.typed, told, (old._details, new._details))


def load(path: str | PathLike[str], params: Mapping[str, Any] | None = None) -> Graph:
    """The graph of a spec in a file, with `params` in place of its own.

    A .safetensors file that `Graph.save` wrote holds one too.
    """
    file = as_path("the spec to load", path)
    if "\n" in str(path) and not os.path.exists(path):
        raise ValueError("load takes the path of a spec: mg.loads takes its text")
    if file.is_dir():
        reason = "it is a directory, so name the spec in it"
        raise IsADirectoryError(EISDIR, reason, str(path))
    if safetensors_header.carries_weights(file):
        return loads(safetensors_header.read_spec(file), params, str(path))
    with file.open("rb") as opened:
        return load_bytes(opened.read(MAX_BYTES + 1), params, str(path))


def load_bytes(data: bytes, params: Mapping[str, Any] | None, name: str) -> Graph:
    """Return the graph of a spec as a file holds it."""
    refuse_foreign(name, data)
    return loads(data.decode(errors="surrogateescape"), params, name)  # what is no UTF-8 is told


def load_model(path: str | PathLike[str]) -> nn.Module:
    """The module that `Graph.save` wrote, with its weights, from that file alone."""
    graph = load(path)
    model = graph.compile()
    graph.load_weights(model, path)
    return model


def positional(model: nn.Module, names: Iterable[str] | str | None = None) -> nn.Module:
    """The model with its inputs by position, in the order of the spec or of the names given.

    For what takes no keywords: `torch.jit.trace`, the ONNX exporter of old, `nn.Sequential`,
    reentrant checkpointing. The weights are the model's own, and inputs that are not named are
    left out. What wraps a model, as `torch.compile`, is put around this, not inside.
    """
    from mimgraph.runtime.positional import Positional

    return Positional(model, None if names is None else as_names("names", names))


def restore(
    spec: str, class_name: str, layers: Mapping[str, type], origin: Origin | None = None
) -> nn.Module:
    """An instance of a class of a spec's source, still empty: what a pickle of one is loaded by."""
    return _empty(_reload(spec, layers), class_name, origin)


def restore_stage(
    starts: tuple[str, ...],
    index: int,
    spec: str,
    class_name: str,
    layers: Mapping[str, type],
    origin: Origin | None = None,
) -> nn.Module:
    """The same of a class of a stage's source."""
    return _empty(_reload(spec, layers).split(starts)[index], class_name, origin)


def _reload(spec: str, layers: Mapping[str, type]) -> Graph:
    from mimgraph.ops.custom.register import register_missing

    register_missing(layers)
    return loads(spec)


def _empty(graph: Graph, class_name: str, origin: Origin | None) -> nn.Module:
    from mimgraph.runtime.error_notes import explain_failures

    made = graph._classes()[class_name]
    instance: nn.Module = made.__new__(made)
    is_whole = class_name == graph.name
    return explain_failures(instance, graph.typed, origin) if is_whole else instance


def restore_check(spec: str) -> InputCheck:
    """What a pickle of the check of a module's inputs is loaded by."""
    return loads(spec)._input_check()


def restore_stage_check(starts: tuple[str, ...], index: int, spec: str) -> InputCheck:
    """The same of a stage."""
    return loads(spec).split(starts)[index]._input_check()


class UnknownParams(ValueError):
    """Names that are no params of a spec; some are perhaps `sizes` of its inputs."""

    def __init__(self, names: list[str], declared: DeclaredGraph) -> None:
        dims = (dim for one in declared.inputs if one.shape for dim in one.shape.dims)
        self.names = names
        self.sizes = list(dict.fromkeys(dim for dim in dims if isinstance(dim, str)))
        odd = next((name for name in names if name not in self.sizes), names[0])
        params = ", ".join(declared.params) or "none"
        super().__init__(f"no param is called {odd!r}; the spec's params: {params}")

    def with_sizes(self) -> str:
        """The same where a size may be set, too."""
        return (
            f"{self}; the sizes of its inputs: {', '.join(self.sizes)}" if self.sizes else f"{self}"
        )


def _params(given: Any) -> dict[str, Any]:
    """Return the values of params by name."""
    named = as_mapping("params", given, '{"hidden": 128}')
    return {name: as_plain(name, value) for name, value in named.items()}


def _name(given: Any) -> str:
    """Return the name for a text in messages."""
    return str(given) if isinstance(given, PathLike) else as_text("name", given)


def _spec_text(given: Any) -> str:
    """Return the text of a spec; a path is refused."""
    if isinstance(given, PathLike):
        raise TypeError(f"loads takes the text of a spec: mg.load({shown(given)}) reads a file")
    return as_text("a spec", given)


@uncollected()
def loads(text: str, params: Mapping[str, Any] | None = None, name: str = "<string>") -> Graph:
    """The graph of a spec as text; a `SpecError` tells every fault of it."""
    params = _params(params)
    report = Report()
    declared = read(SourceFile(_name(name), _spec_text(text)), report, params)
    if declared is None:
        raise SpecError(report.diagnostics)
    unknown = [param for param in params if param not in declared.params]
    # a param whose key could not be read may be any of them
    if unknown and all(name.isidentifier() for name in declared.params):
        raise UnknownParams(unknown, declared)
    typed = infer(declared, report)
    report.raise_if_any()
    assert typed is not None
    graph = Graph.__new__(Graph)
    graph.declared, graph.typed = declared, typed
    return graph
