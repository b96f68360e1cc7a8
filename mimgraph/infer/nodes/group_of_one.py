"""Type a merge of a group that has one member, `{merge: concat, from: emb.*}`, as the layer that does
the same; a program may write such a spec for any number of columns."""

from __future__ import annotations

from mimgraph.infer.nodes.rule_cache import Answer, ask
from mimgraph.infer.options import Bound, Values
from mimgraph.ir.declared.graph import Block
from mimgraph.ir.lowering import Lowering
from mimgraph.ir.typed.operations import Leaf
from mimgraph.ir.types import TensorType
from mimgraph.ops.registry import layer_of_one


def ask_of_one(bound: Bound, options: Values, source: TensorType) -> Answer:
    """Return the answer for one source, the operand `input`; raise an `OpFault` for a wrong option.

    The rule of the merge, which is for two or more, is asked about the source given twice.
    """
    twice = ask(bound, options, {"0": source, "1": source})
    # a merge that is a block of others returns floats, as it is given
    wanted = source if isinstance(twice, Block) else twice.results[""]
    layer, given = layer_of_one(bound.op, options.by_name, source.dtype, wanted.dtype)
    lowering = layer.infer({"input": source}, {**layer.defaults, **given})
    assert isinstance(lowering, Lowering)
    leaf = Leaf(bound.op.kind, bound.op.name, options.by_name, lowering)
    return Answer(leaf, lowering.results, lowering.default, lowering.requires)
