"""The public graph: checks, writes, compiles, runs, draws and compares, by the parts below it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from os import PathLike
from typing import TYPE_CHECKING, Any, ParamSpec, Unpack, overload

from mimgraph.compare.equality import content_hash, same
from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.infer.state import State
from mimgraph.infer.warnings import warnings
from mimgraph.inspection.facts import Edges, edges
from mimgraph.ir.declared_graph import Graph as DeclaredGraph
from mimgraph.ir.typed_graph import TypedGraph
from mimgraph.ir.types import Constraint, Shape
from mimgraph.language import spec_file
from mimgraph.language.spec_file import LoadedSpec, Params
from mimgraph.pipeline.split import split
from mimgraph.restore import (  # noqa: F401 - pickles of earlier versions name them here
    StagePlace,
    classes,
    input_check,
    restore,
    restore_check,
    restore_stage,
    restore_stage_check,
)
from mimgraph.search.space import Space
from mimgraph.support.arguments import (
    Depth,
    as_flag,
    as_mapping,
    as_names,
    as_path,
    as_plain,
    as_text,
)
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.files import write_whole
from mimgraph.support.objects import Shown
from mimgraph.support.progress import uncollected

if TYPE_CHECKING:
    import networkx as nx
    import torch
    from torch import Tensor as TorchTensor
    from torch import nn

    from mimgraph.builder.block_call import BlockCall, Family, Param
    from mimgraph.builder.declare_body import GraphOfCalls
    from mimgraph.builder.declare_graph import GivenLimits, Outputs
    from mimgraph.builder.edits.change_nodes import NewLayer
    from mimgraph.builder.edits.edit import EditedGraph
    from mimgraph.builder.edits.options import Answer
    from mimgraph.builder.graph_parts import GraphHandles, GraphLayer
    from mimgraph.builder.inputs import Inputs
    from mimgraph.builder.tensor import Tensor
    from mimgraph.compare.review import Review
    from mimgraph.inspection.ends import GraphInput, GraphOutput
    from mimgraph.inspection.nodes import Node, Nodes
    from mimgraph.ir.option_types import OptionValue
    from mimgraph.picture.details.model import Detail
    from mimgraph.picture.scene import Direction, Scene, Theme, View
    from mimgraph.pipeline.torch_stage import Sender
    from mimgraph.runtime.export import DynamicShapes
    from mimgraph.runtime.weight_transfer.by_keys import Keys
    from mimgraph.runtime.weight_transfer.transfer import Transfer
    from mimgraph.runtime.weights import LoadedWeights
    from mimgraph.summary.summary import Summary

P = ParamSpec("P")


@entry_points
class Graph(Shown):
    """A checked graph, made from the handles of its outputs: one, a list, or a dict by public name.

    A handle in an `mg.Output` has further options, such as `training_only`. `limits` are those of the
    cost: `limits={"parameters": "20M", "macs": "2G"}`.
    """

    declared: DeclaredGraph
    typed: TypedGraph

    def __init__(
        self,
        outputs: Outputs,
        name: str = "Model",
        doc: str = "",
        limits: GivenLimits | None = None,
    ) -> None:
        from mimgraph.builder.declare_graph import declare_graph

        doc = as_text("doc", doc)
        with uncollected():
            vars(self).update(_checked(declare_graph(outputs, name, doc, limits))._asdict())

    @classmethod
    def _of(
        cls, load: Callable[P, LoadedSpec | EditedGraph], *given: P.args, **named: P.kwargs
    ) -> Graph:
        """Return the graph that a function loads or makes from these arguments."""
        graph = cls.__new__(cls)
        with uncollected():
            vars(graph).update(load(*given, **named)._asdict())
        return graph

    if not TYPE_CHECKING:  # a type checker that sees it accepts every attribute

        def __setattr__(self, name: str, value: object) -> None:
            """Refuse every attribute: a graph does not change, and nothing would read another one."""
            help = "its methods return changed graphs"
            if name == "trainable":
                help = "freeze its layers, layers.Linear(64, freeze=True)"
            raise AttributeError(f"{name} of a graph cannot be set: {help}")

    @property
    def name(self) -> str:
        """Return the name of the graph and of its class."""
        return self.typed.name

    @property
    def _whole(self) -> Graph:
        """Return the graph that has the spec: the graph itself, or the one that it is a stage of."""
        return self

    @property
    def _place(self) -> StagePlace | None:
        """Return which stage of the whole graph it is; None if it is that graph."""
        return None

    @cached_property
    def inputs(self) -> Mapping[str, GraphInput]:
        """Return every input by name, in order, with the attributes of its type.

            graph.inputs["image"].shape, graph.inputs["image"].dtype

        They stand in the order of the spec.
        """
        from mimgraph.inspection.ends import inputs

        return inputs(self.typed, self._whole.declared)

    @cached_property
    def outputs(self) -> Mapping[str, GraphOutput]:
        """Return every output by its public name, with its type and its `source`.

            graph.outputs["score"].shape, graph.outputs["score"].source

        They stand in the order of the spec.
        """
        from mimgraph.inspection.ends import outputs

        return outputs(self.typed, self._whole.declared)

    @cached_property
    def edges(self) -> Edges:
        """Return the edges between inputs and nodes, in order: `("image", "conv") in graph.edges`.

        Each is a `source` and its `port`, and a `target` and its `argument`.
        """
        return edges(self.typed.body)

    @cached_property
    def nodes(self) -> Nodes:
        """Return the nodes by name, in order; a dotted name finds a node in a block: `stage.conv`.

            graph.nodes["fc"].options["in_features"]
            [node.name for node in graph.nodes.values() if node.op == "Dropout"]

        Each is made when it is first asked for.
        """
        from mimgraph.inspection.nodes import nodes

        return nodes(self.typed)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Return the shape of every input, node and port: `image`, `lstm`, `lstm.last`."""
        found = {name: type_.shape for name, type_ in self.inputs.items()}
        for node in self.typed.body.nodes:
            if node.type is not None:
                found[node.name] = node.type.shape
            found |= {f"{node.name}.{p}": t.shape for p, t in node.results.items() if p}
        return found

    @property
    def limits(self) -> Mapping[str, int]:
        """Return the limits of the cost as numbers: `graph.limits["parameters"]`."""
        limits = self.typed.limits
        return {} if limits is None else limits.amounts

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Return the warnings of a legal spec: unused params, and layers that a `freeze` does not reach."""
        return warnings(self._whole.declared)

    @cached_property
    def blocks(self) -> Mapping[str, Family]:
        """Return the blocks by name, to call them in Python: `graph.blocks["residual"](stride=2)(x)`.

        A block that was declared by a Python function calls it again. So it takes all params of the
        function, including those that only Python code uses, which a dump does not contain.
        """
        from mimgraph.builder.graph_parts import spec_blocks

        return spec_blocks(self.declared)

    def __getitem__(self, source: str) -> Tensor:
        """Return the handle of an input, node or port, as a source of new layers.

            base = mg.load("resnet.yaml")
            model = mg.Graph(layers.Linear(3)(base["pooled"], name="head"))

        What the new graph takes over keeps its names, and so the keys of its weights; the params of
        the spec are replaced by their values. A port is `graph["lstm.last"]`, or `graph["lstm"]["last"]`.
        """
        return self._handles[source]

    @cached_property
    def _handles(self) -> GraphHandles:
        from mimgraph.builder.graph_parts import GraphHandles

        return GraphHandles(self.declared, self.typed)

    @overload
    def __call__(
        self,
        source: Tensor,
        /,
        *sources: Tensor | None,
        name: str | None = None,
        **named: Tensor | Param,
    ) -> Tensor: ...
    @overload  # without arguments it is a layer, too
    def __call__(self, /, **params: Param) -> BlockCall: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, /, *, name: str | None = None, **named: Tensor | Param) -> Tensor: ...
    def __call__(self, /, *sources: object, **named: object) -> Tensor | BlockCall:
        """Use the graph as a layer of another, in its own class: `tower(image, name="left")`.

        Calls on several handles share one module. A call may leave out an optional input, or give None
        for it. Params and `freeze` are options:
        `tower(freeze=True)` is a layer with separate weights.
        """
        return self._block.call(sources, named)

    def as_layer(self) -> BlockCall:
        """Return the graph as an item of a `Sequential`, with its params."""
        return self._block.applied({})

    @cached_property
    def _block(self) -> GraphLayer:
        from mimgraph.builder.graph_parts import GraphLayer

        return GraphLayer(self.declared)

    def replace(self, path: str, layer: NewLayer) -> Graph:
        """Return the graph with another layer or merge in place of that of a node.

            graph.replace("fused", merges.gated(out_features=64))

        The node keeps its name and sources, which `rewire` changes, `take` and `over`; sources go to the arguments of the same
        names, else by position. The weights are new, so they are frozen only if the layer says so. In
        an `each` the layer is applied to every source.

        A path leads into blocks and seqs: `stage.conv`, `features.3`. Other uses of the block stay as
        they are: this one has a copy, `residual_2`. Names, and so the keys of the `state_dict`, of all
        that is not changed stay. Nodes that share the module follow. Blocks and params that only the
        old layer used are dropped.
        """
        from mimgraph.builder.edits.change_nodes import replace_node

        return self._edited(replace_node, path, layer)

    def rewire(self, path: str, from_: str | Iterable[str] | Mapping[str, str]) -> Graph:
        """Return the graph in which a node reads other sources, by their names.

            sources = graph.nodes["fused"].sources.values()
            graph.rewire("fused", from_=[*sources, "pooled"])

        A merge with named sources takes a dict, `{"query": "text", "key": "image", "value": "image"}`.

        A source is an input, a node or a port, `lstm.last`. The node keeps its name, layer and options.
        Nodes and inputs that only its old sources needed are gone.
        """
        from mimgraph.builder.edits.change_nodes import rewire

        return self._edited(rewire, path, from_)

    def insert(self, path: str, layer: NewLayer, *, name: str | None = None) -> Graph:
        """Return the graph with a layer between a result and all nodes and outputs that read it.

            graph.insert("conv1", layers.BatchNorm2d())

        The path names a node, an input or a port, `lstm.last`. The new node is called after its layer,
        `batch_norm2d`, unless there is a `name`. In a seq it follows the item that the path names, and
        later items, whose keys are positions, move up.
        """
        from mimgraph.builder.edits.change_nodes import insert

        return self._edited(insert, path, layer, name)

    def remove(self, path: str) -> Graph:
        """Return the graph without a node of one source, which its readers read instead.

            graph.remove("drop")

        An output keeps its public name. In a seq the keys of later items, their positions, move down.
        """
        from mimgraph.builder.edits.change_nodes import remove

        return self._edited(remove, path)

    def rename(self, path: str, name: str) -> Graph:
        """Return the graph with another name for an input or node, and in all that names it.

            graph.rename("fc1", "head")

        The keys of its weights follow, and so do the ports of an `each` that are called after it; the
        variables of a formula, and public names of outputs other than its own, stay. A path leads into
        blocks, to nodes and inputs: `stage.conv`.
        """
        from mimgraph.builder.edits.rename import rename

        return self._edited(rename, path, name)

    def upto(self, *paths: str) -> Graph:
        """Return the graph up to some of its results, which are the outputs.

            graph.upto("pooled")
            graph.upto("fc", "lstm.last")

        The nodes, inputs, blocks and params that only others need are gone. An output is called after
        its node, of several outputs a port is `lstm_last`. A node whose module another shares stays,
        and a sole input is not optional.
        """
        from mimgraph.builder.edits.change_nodes import upto

        return self._edited(upto, *paths)

    def with_options(self, path: str, /, **options: object) -> Graph:
        """Return the graph with other options of a node; those that are not given stay.

            graph.with_options("fc1", out_features=128, activation="GELU")

        They are options of its layer, params of its block, or `activation`, `take`, `over`, `freeze` and
        `repeat`. None is a value as others are; `...` leaves an option out, so that it has its default.
        """
        from mimgraph.builder.edits.options import with_options

        return self._edited(with_options, path, options)

    def map(self, rule: Callable[[Node], Answer]) -> Graph:
        """Return the graph with every node changed as a rule says, in blocks and seqs, too.

            def rule(node):
                if node.op == "ReLU":
                    return layers.GELU()
                if node.options.get("activation") == "ReLU":
                    return {"activation": "GELU"}

            graph.map(rule)

        The rule is called with a node as in `graph.nodes`. It returns None, or the node itself, to keep it,
        a layer or merge to replace it, or a dict of options to set. The nodes inside a node that it
        keeps follow, for each use of a block; those of repeats are declared once, so the rule sees the
        first. A node that shares another's module follows that, and a block that no node runs stays as
        it is.
        """
        from mimgraph.builder.edits.options import map_nodes

        return self._edited(map_nodes, rule)

    def _edited(self, edit: Callable[..., EditedGraph], *given: object) -> Graph:
        """Return the graph that a function of `builder.edits` makes of this one."""
        return Graph._of(edit, self.declared, self.typed, *given)

    @cached_property
    def space(self) -> Space:
        """Return the search space of each param that has one, in the order of the spec.

            graph.space["width"].values, graph.space.size
            graph.space.point(lambda name, space: space.default)

        A graph made in Python has no params, and so no space.
        """
        return Space(self.declared)

    def with_params(self, values: Params | None = None, /, **params: OptionValue) -> Graph:
        """Return the graph with other values of its params; a `SpecError` holds the faults.

            graph.with_params(width=32)
            graph.with_params({"width": 32})

        Searched params that are not given have their defaults. The new graph has no search left, and no
        params or options that only other choices need, so that its dump is exactly that model.
        """
        given = {**as_mapping("params", values, '{"hidden": 64}'), **params}
        plain = {name: as_plain(name, value) for name, value in given.items()}
        return Graph._of(spec_file.with_params, self.declared, plain)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """Return the constraints on sizes that are known only at run time."""
        return self.typed.constraints

    def dumps(self) -> str:
        """Return the graph as YAML."""
        from mimgraph.language.writer import write

        return write(self.declared)

    def dump(self, path: str | PathLike[str] | None = None) -> None:
        """Write the graph as YAML to a file, or to the standard output."""
        if path is None:
            sys.stdout.write(self.dumps())
        else:
            write_whole(as_path("the file to write", path), self.dumps())

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as plain data, which can be written as JSON.

            spec = graph.to_dict()
            spec["nodes"]["fc"]["out_features"] = 128
            wider = mg.from_dict(spec)

        `mg.from_dict` reads it.
        """
        from mimgraph.language.writer import to_data

        return to_data(self.declared)

    @uncollected()
    def source(self) -> str:
        """Return the module as a stand-alone Python file that needs only torch."""
        from mimgraph.emit.emit import emit

        return emit(self.typed).text

    @uncollected()
    def compile(self, *, check: bool = False) -> nn.Module:
        """Return the module that `source()` defines; torch's seed decides its weights.

        With `check`, every call first checks the sizes, dtypes and ranges of its inputs, and raises a
        `ValueError` that names all that do not fit. A `SpecError` names the options that the
        installed torch does not have yet.
        """
        from mimgraph.runtime.construct import construct
        from mimgraph.runtime.installed import check_installed

        check = as_flag("check", check)
        check_installed(self.typed)
        spec, place = self._whole.dumps, self._place
        made = construct(classes(self.typed, spec, place)[self.name], self.typed)
        if check:
            made.register_forward_pre_hook(input_check(self.typed, spec, place), with_kwargs=True)
        return made

    def dynamic_shapes(
        self, given: Iterable[str] | Mapping[str, TorchTensor | None] | None = None
    ) -> DynamicShapes:
        """Return `dynamic_shapes` for `torch.export` and the ONNX exporter: batch and named sizes are dynamic.

        Each name is one `torch.export.Dim`, within the constraints of the graph; the batch is `N`. If
        optional inputs are left out, `given` are the others, or their names:

            torch.export.export(model, (), inputs, dynamic_shapes=graph.dynamic_shapes(inputs))

        In torch a dynamic size may not be 1, not even in the example inputs. A length that an LSTM, GRU,
        RNN, MaxPool1d or scan runs over cannot be dynamic in torch: it is exported as in the example.
        """
        from mimgraph.runtime.export import dynamic_shapes

        if not isinstance(given, Mapping):
            given = as_names("given", self.inputs if given is None else given)
        return dynamic_shapes(self.typed, given)

    def split(self, stages: Iterable[str] | str | int) -> tuple[Stage, ...]:
        """Return stages for `torch.distributed.pipelining`; each named node begins a new one.

        In a node that repeats a block, `encoded.3` begins one at its fourth repeat; chains and single
        blocks stay whole. A number makes as many stages, balanced by parameters and
        multiply-accumulates. A `ValueError` says where a stage would need something of another that
        cannot be sent: a weight, or an optional value.
        """
        from mimgraph.pipeline.balance import stage_starts

        starts = stage_starts(self.typed, stages)
        parts = split(self.typed, starts)
        return tuple(
            Stage(self, starts, index, typed, is_last=typed is parts[-1])
            for index, typed in enumerate(parts)
        )

    def save(self, model: nn.Module, path: str | PathLike[str]) -> None:
        """Write the weights of the model as .safetensors, with the spec in the metadata.

        `load_model` needs only that file; `load` reads the graph from it.
        """
        from mimgraph.runtime.weights import as_module, save

        file = as_path("the file to write", path)
        save(as_module(model), self.compile, file, spec_file.metadata(self.dumps()))

    def load_weights(
        self,
        model: nn.Module,
        path: str | PathLike[str],
        strict: bool = True,
        *,
        keys: Keys | None = None,
    ) -> LoadedWeights:
        """Copy the weights of a .safetensors file into the model; a `ValueError` names those that do not fit.

            graph.load_weights(model, "old.safetensors", strict=False)

        With `strict=False` those of the same name and shape are copied, as after a change of the
        head; the result says which were `loaded`, and which are `missing`, `unexpected` or `mismatched`.
        `keys` has for keys of the model those in the file, as `Imported.keys` does.
        """
        from mimgraph.runtime.weights import as_module, as_weights_file, load_weights

        strict = as_flag("strict", strict)
        return load_weights(as_module(model), as_weights_file(path), strict, keys)

    def load_state(
        self,
        model: nn.Module,
        other: nn.Module | Mapping[str, TorchTensor],
        *,
        inputs: Mapping[str, str] | None = None,
        strict: bool = True,
        sizes: Mapping[str, int] | None = None,
        keys: Keys | None = None,
    ) -> Transfer:
        """Copy the weights of `other`, a module written by others, into the model.

        Both are run once. Each tensor of the model gets the tensor of `other` with the same shape and
        use: the same producers, the same consumers, else the next in order of use. Tensors of one
        module stay together. Projections of query, key and value may be joined in one of them and
        separate in the other, and matrices stored transposed. `inputs` maps our inputs to the
        arguments of `other` (`{"text": "input_ids"}`), `sizes` gives the named sizes to run with.
        `other` may also be a `state_dict`, which is matched by names and order. With `keys`, our keys
        with those of `other` where they differ, as `Imported.keys` has them, nothing is matched or run.

        If tensors of the model have no match, or tensors of `other` are left over, a `ValueError`
        names them and nothing is copied, unless the outputs are proven to be equal without them. So does
        one if outputs differ and the order of tensors with equal shapes and uses was a guess: give `keys`.
        With `strict=False` the rest is copied. The result says which tensor came from which, which had
        no match, and which outputs are proven to be equal; a warning names outputs that differ.
        """
        from mimgraph.runtime.weight_transfer.by_keys import as_keys, load_by_keys
        from mimgraph.runtime.weight_transfer.load import load_state
        from mimgraph.runtime.weights import as_module, as_weights

        strict = as_flag("strict", strict)
        taken = as_module(model), as_weights(other)
        if keys is not None:
            return load_by_keys(*taken, as_keys(keys), strict)
        return load_state(self.typed, *taken, strict, inputs, sizes)

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Return the parameters of the model that learn, in groups with the settings of the spec.

            groups = graph.parameter_groups(model)
            optimizer = torch.optim.AdamW(groups, lr=1e-3, weight_decay=0.01)

        Parameters with the same `lr` and `weight_decay` are one group, which has a `"name"`. `lr: 0.1x`
        is a multiple of the `lr` that the optimizer is given, and so follows it. Frozen parameters are in
        no group. The model may be wrapped, as by `torch.compile` or `DistributedDataParallel`; a
        `ValueError` says that it is of another graph.
        """
        from mimgraph.runtime.parameter_groups import parameter_groups

        return parameter_groups(self.typed, model)

    @uncollected()
    def summary(
        self,
        batch: int | None = None,
        sizes: Mapping[str, int] | None = None,
        depth: Depth | None = None,
    ) -> Summary:
        """Return a table of the nodes: shapes, weights, multiply-accumulates and activations.

        `batch` and `sizes` give sizes that are known only at run time: `batch=32, sizes={"T": 128}`;
        `depth` is how deep blocks are expanded, all by default. `.totals()`, `.data()`, `.csv()` and `.markdown()`
        return the same for other tools.
        """
        from mimgraph.summary.summary import summary

        sizes = as_plain("sizes", as_mapping("sizes", sizes, '{"T": 128}'))
        return summary(self.typed, as_plain("batch", batch), sizes, as_plain("depth", depth))

    @uncollected()
    def draw(
        self,
        path: str | PathLike[str],
        *,
        direction: Direction = "TB",
        depth: Depth | None = None,
        collapse: bool = False,
        theme: Theme | None = None,
        wrap: bool = False,
    ) -> None:
        """Draw the graph to a file; its suffix is the format: .svg, .png, .pdf, .dot, .mmd, or .html, an
        interactive page.

        `direction` is "TB", top to bottom, or "LR", left to right. Blocks are open down to `depth`, a
        number or "all", or by default as deep as one page or screen can show. `collapse` draws chains of
        layers as one box, repeats in a row once, and the inside of a block where it is first used. `wrap`
        sets a long picture in columns, as a text on a page: `graph.draw("model.pdf", depth="all", wrap=True)`.
        `theme` is "light" or "dark"; without it a page has the theme of the reader's system, and a file
        of another format is light.
        """
        from mimgraph.picture import write

        path = as_path("the file to draw", path)
        scene = self.scene(
            direction=direction, depth=depth, collapse=collapse, theme=theme, wrap=wrap
        )
        write(scene, path)

    @uncollected()
    def show(
        self,
        *,
        direction: Direction = "TB",
        depth: Depth | None = None,
        collapse: bool = False,
        theme: Theme | None = None,
        wrap: bool = False,
    ) -> None:
        """Show the graph as an interactive page: below the cell of a notebook, else in the browser.

        The options are those of `draw`, whose `.html` files are the same page: `graph.show(depth=1)`.
        """
        from mimgraph.picture.show import show

        show(
            self.scene(direction=direction, depth=depth, collapse=collapse, theme=theme, wrap=wrap)
        )

    def scene(self, **view: Unpack[View]) -> Scene:
        """Return the picture that `draw` writes with these options."""
        from mimgraph.picture.details.independence import independent
        from mimgraph.picture.diagram.build import diagram
        from mimgraph.picture.scene import Scene

        return Scene(
            diagram(self.typed),
            **view,
            details=self._details,
            independent=lambda: independent(self.typed.body),
            graph=self,
        )

    def _details(self) -> Mapping[str, Detail]:
        """Return the details that a picture shows of each of its parts."""
        from mimgraph.emit.source_map import excerpts
        from mimgraph.picture.details.build import details

        declared = None if self.typed.is_stage else self.declared
        return details(self.typed, declared, excerpts(self.typed))

    def to_networkx(self) -> nx.DiGraph[str]:
        """Return a networkx graph of the names of inputs and nodes.

        Each has the fields of `graph.nodes`, such as `op`, `options`, `shape` and `parameters`, and the
        name of its `layer`. An edge has the `argument` that it feeds and the `port` that it reads, and in
        `edges` all edges between the two nodes.
        """
        from mimgraph.inspection.networkx_graph import to_networkx

        return to_networkx(self.typed, self.inputs, self.nodes, self.edges)

    def __eq__(self, other: object) -> bool:
        """Return whether two graphs are equal with all types inferred, however they were written."""
        return same(self.typed, other.typed) if isinstance(other, Graph) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return content_hash(self.typed)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields for a copy or pickle; it computes its own hash, which is one of this process."""
        left_out = ("_hash", "nodes", "inputs", "outputs", "edges", "blocks")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of inputs and nodes, in order."""
        return chain(self.inputs, self.nodes)

    def __reversed__(self) -> Iterator[str]:
        return iter([*self][::-1])

    def __contains__(self, name: object) -> bool:
        """Return whether an input or node has this name; a dotted one may be inside a block."""
        return name in self.inputs or name in self.nodes

    def __len__(self) -> int:
        """Return the number of inputs and nodes."""
        return len(self.inputs) + len(self.nodes)

    @uncollected()
    def _repr_html_(self) -> str:
        """Return the picture that notebooks show."""
        from mimgraph.picture.notebook import graph_html

        return graph_html(self.typed)

    def _ipython_key_completions_(self) -> list[str]:
        return [*self]

    def __dir__(self) -> list[str]:
        internal = ("as_layer", "declared", "scene", "typed")
        return [name for name in super().__dir__() if name not in internal]

    def __repr__(self) -> str:
        return f"<Graph {self.name}: {', '.join(self.inputs)} -> {', '.join(self.outputs)}>"


@entry_points
class Stage(Graph):
    """A stage of a graph, itself a graph; it compiles to a module for `PipelineStage`.

    The module takes the results of the stage before by position, and optional inputs that it reads
    by name. It returns a tensor or a tuple; that of the last stage has the outputs in order. Weights
    have the same names as in the whole graph.
    """

    whole: Graph
    starts: tuple[str, ...]
    index: int
    is_last: bool

    def __init__(
        self, whole: Graph, starts: tuple[str, ...], index: int, typed: TypedGraph, is_last: bool
    ) -> None:
        vars(self).update(whole=whole, starts=starts, index=index, typed=typed, is_last=is_last)

    @property
    @entry_point
    def declared(self) -> DeclaredGraph:  # type: ignore[override]  # a stage has no spec
        raise ValueError(
            f"{self.name} is a stage and has no spec; its `whole` is {self.whole.name}, which has one"
        )

    @property
    def _whole(self) -> Graph:
        return self.whole

    @property
    def _place(self) -> StagePlace:
        return self.starts, self.index

    def split(self, stages: Iterable[str] | str | int) -> tuple[Stage, ...]:
        raise ValueError(f"{self.name} is a stage and cannot be split again: split its `whole`")

    def compile(self, *, check: bool = False) -> nn.Module:
        """Return the module; the results and gradients that it sends are contiguous."""
        from mimgraph.pipeline.torch_stage import receive_dense

        made = super().compile(check=check)
        made.register_forward_pre_hook(receive_dense)
        made.register_forward_hook(self._sender)
        return made

    def metadata(
        self, batch: int, /, *, dtype: torch.dtype | None = None, **sizes: int
    ) -> dict[str, tuple[TorchTensor, ...]]:
        """Return `input_args` and `output_args` for a `PipelineStage`, for a microbatch of this size.

        `dtype` is the dtype of floats if the model is not float32: `torch.bfloat16` after
        `.to(torch.bfloat16)`; leave it out under autocast. Without these arguments torch runs the
        stages on arbitrary values, which change a BatchNorm and make an Embedding fail.

        The next stage relies on them: from then on the module casts its results to that dtype, and
        raises a `ValueError` for a shape that was not given here, as of a smaller last batch.
        """
        from mimgraph.pipeline.torch_stage import check_metadata_arguments, metadata

        batch, sizes = as_plain("batch", batch), as_plain("sizes", sizes)
        check_metadata_arguments(self.whole.typed, batch, sizes, dtype)
        found = metadata(self.typed, batch, sizes, dtype)
        if not self.is_last:  # the last one sends nothing
            self._sender.promise(found["output_args"], {"N": batch, **sizes})
        return found

    @cached_property
    def _sender(self) -> Sender:
        from mimgraph.pipeline.torch_stage import Sender

        return Sender(self.name)


def _checked(given: GraphOfCalls) -> LoadedSpec:
    """Return a graph that Python code declared with its types; raise its faults at lines of that code."""
    from mimgraph.builder.user_line import raise_faults

    declared, calls = given
    report = Report()
    state = State({}, report, known=calls)
    return spec_file.checked(declared, report, state, lambda: raise_faults(report, declared.origin))


@entry_point
def Model(
    inputs: Inputs,
    outputs: Outputs,
    name: str = "Model",
    doc: str = "",
    limits: GivenLimits | None = None,
) -> Graph:
    """Return the `Graph` of the outputs, as Keras' `Model(inputs=[a, b], outputs=y)` does.

    `inputs` are all inputs that the outputs depend on, in the order of the compiled module: a handle, a
    list of them, or a dict by name. A `SpecError` names one that is missing or that nothing uses.
    """
    from mimgraph.builder.declare_graph import declare_model

    doc = as_text("doc", doc)
    return Graph._of(lambda: _checked(declare_model(inputs, outputs, name, doc, limits)))


@entry_point
def diff(old: Graph, new: Graph) -> Review:
    """Return the changes from one graph to another; they print as text, and are false if there are none.

    `.markdown()` returns text for a pull request, `.data()` plain data; `.draw("diff.svg")` draws both.
    """
    from mimgraph.compare.compare import difference
    from mimgraph.compare.review import Review

    for graph in (old, new):
        if not isinstance(graph, Graph):
            raise TypeError(f"diff compares two graphs, but one is {graph!r:.40}")
    found = difference(old.typed, new.typed)
    return Review(old.typed, new.typed, found, (old._details, new._details))


@entry_point
def load(path: str | PathLike[str], params: Params | None = None) -> Graph:
    """Return the graph of a spec in a file; `params` replace its own.

    A .safetensors file that `Graph.save` wrote contains a spec, too.
    """
    return Graph._of(spec_file.load_file, path, params)


@entry_point
def loads(text: str, params: Params | None = None, name: str = "<string>") -> Graph:
    """Return the graph of a spec given as text; a `SpecError` holds all its faults.

    `params` replace its own; `name` is the name of the text in messages.
    """
    return Graph._of(spec_file.load_text, text, params, name)


@entry_point
def from_dict(spec: Mapping[str, Any], params: Params | None = None, name: str = "<dict>") -> Graph:
    """Return the graph of a spec given as plain data, as `Graph.to_dict` returns it:

        mg.from_dict({"inputs": {"x": [4]}, "nodes": {"y": {"layer": "ReLU", "from": "x"}}, "outputs": "y"})

    A `SpecError` shows its faults in the YAML of the spec, a `TypeError` says what is no plain data.
    `params` replace its own; `name` is the name of the spec in messages.
    """
    from mimgraph.language.writer import to_text

    text = to_text(spec, as_text("name", name))
    return Graph._of(spec_file.load_text, text, params, name)


@entry_point
def load_model(path: str | PathLike[str]) -> nn.Module:
    """Return the module that `Graph.save` wrote, with its weights; no other file is needed."""
    graph = load(path)
    model = graph.compile()
    graph.load_weights(model, path)
    return model


@entry_point
def positional(model: nn.Module, names: Iterable[str] | str | None = None) -> nn.Module:
    """Return a model that takes its inputs by position, in the order of the spec or of `names`.

    For tools that pass no keywords: `torch.jit.trace`, the old ONNX exporter, `nn.Sequential`,
    reentrant checkpointing. It shares the weights of the model; inputs that are not named are left
    out. Apply wrappers such as `torch.compile` to this model, not to the inner one.
    """
    from mimgraph.runtime.positional import Positional

    return Positional(model, None if names is None else as_names("names", names))
