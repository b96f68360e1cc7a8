"""Choose the input on whose device a node without sources makes its tensor."""

from __future__ import annotations

from collections.abc import Sequence

from mimgraph.emit.tree import Local
from mimgraph.ir.code import Attribute, Call, Code, ModelDtype, Name, rebuild
from mimgraph.ir.lowering import ANCHOR
from mimgraph.ir.typed_graph import Body, Value


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
