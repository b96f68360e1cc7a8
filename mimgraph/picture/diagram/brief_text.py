"""Write a layer in few words, as papers do: its op, width, kernel and activation."""

from __future__ import annotations

from typing import Any

from mimgraph.ir.typed_graph import TypedNode
from mimgraph.ir.typed_operations import Leaf, unwrap
from mimgraph.summary.node_text import WIDTHS_OUT


def brief_text(node: TypedNode) -> str:
    """Return the op of a node with what matters most: `Conv2d 64 7×7 /2 + ReLU`; `/2` is its stride."""
    operation = unwrap(node.operation)
    options = operation.options if isinstance(operation, Leaf) else {}
    width = next((str(options[name]) for name in WIDTHS_OUT if options.get(name)), "")
    kernel = _kernel(node.op_name, options.get("kernel_size"))
    stride = options.get("stride")
    step = f"/{stride}" if isinstance(stride, int) and stride > 1 else ""
    text = " ".join(filter(None, (node.op_name, width, kernel, step)))
    return " + ".join(filter(None, (text, operation.activation_name)))


def _kernel(op_name: str, size: Any) -> str:
    """Return the size of a kernel in each direction, `3×3`; "" in one direction or if there is none."""
    directions = int(op_name[-2]) if op_name[-2:] in ("2d", "3d") else 1
    sizes = size if isinstance(size, list | tuple) else [size] * directions
    return "×".join(map(str, sizes)) if size is not None and len(sizes) > 1 else ""
