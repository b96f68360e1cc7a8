"""Lift modules that are layers of ours under another name: of other packages, and deprecated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mimgraph.importer.draft import Body, Input, Node, Op, Output, Port, Source, Use
from mimgraph.importer.lift.errors import CannotLift
from mimgraph.importer.lift.leaves.attributes import layer_options
from mimgraph.importer.lift.leaves.table import lifts_class
from mimgraph.importer.lift.weights import weight_node
from mimgraph.importer.trace.records import Call
from mimgraph.ops import registry

if TYPE_CHECKING:
    from mimgraph.importer.lift.body import BodyLifter


@lifts_class("torchvision.ops.stochastic_depth.StochasticDepth")
def stochastic_depth(body: BodyLifter, call: Call) -> None:
    if call.module.mode != "row":
        raise CannotLift("layer", "StochasticDepth drops the whole batch", call, call.place)
    op = Op("layer", "DropPath", {"p": call.module.p})
    body.bind(call.results[0], Port(body.module_node(call, op, call.arguments)))


@lifts_class("torchvision.ops.misc.FrozenBatchNorm2d", "torchvision.ops.deform_conv.DeformConv2d")
def layer_of_torchvision(body: BodyLifter, call: Call) -> None:
    """Add a layer that torchvision defines under the same name."""
    name = type(call.module).__name__
    options = layer_options(call.module, name)
    op = registry.find("layer", name)
    assert op is not None
    sources = dict(zip(op.inputs.names, call.arguments, strict=False))
    node = body.module_node(
        call, Op("layer", name, options), sources if len(sources) > 1 else call.arguments
    )
    body.bind(call.results[0], Port(node))


@lifts_class("transformers.pytorch_utils.Conv1D")
def conv1d_of_transformers(body: BodyLifter, call: Call) -> None:
    """Add a block for the Conv1D of GPT-2: a Linear whose weight is transposed."""
    (value,) = call.arguments
    weights = body.lifter.trace.weights
    place, path = call.place, call.path
    x = Input("x", value.sizes, value=value)
    inner = Body("conv1d", inputs=[x], call=call)
    made = [weight_node(body, weights[f"{path}.{name}"], name) for name in ("weight", "bias")]
    product = Node("product", Op("merge", "matmul"), [Source(Port(x)), Source(Port(made[0]))])
    shifted = Op("merge", "add", {"broadcast": True})
    result = Node("output", shifted, [Source(Port(product)), Source(Port(made[1]))], place=place)
    inner.nodes = [made[0], product, made[1], result]
    inner.outputs = [Output("output", Port(result))]
    body.bind(call.results[0], Port(body.module_node(call, Use(inner), [value])))


@lifts_class("timm.layers.drop.DropPath")
def drop_path(body: BodyLifter, call: Call) -> None:
    if not call.module.scale_by_keep:
        raise CannotLift("layer", "DropPath does not scale what it keeps", call, call.place)
    op = Op("layer", "DropPath", {"p": call.module.drop_prob})
    body.bind(call.results[0], Port(body.module_node(call, op, call.arguments)))


@lifts_class("UpsamplingNearest2d", "UpsamplingBilinear2d")
def upsampling(body: BodyLifter, call: Call) -> None:
    """Add an Upsample, which torch and this package prefer to these subclasses of it."""
    op = Op("layer", "Upsample", layer_options(call.module, "Upsample"))
    body.bind(call.results[0], Port(body.module_node(call, op, call.arguments)))
