"""Write a Reshape and a Transpose in a row as one `Rearrange`."""

from __future__ import annotations

from mimgraph.importer.draft import Body, Node, Op, Seq, inner_nodes
from mimgraph.importer.trace.records import Step
from mimgraph.ir.dim import Size


def join_rearranges(body: Body) -> None:
    """Replace the heads of attention in chains: `n t (a b) -> n a t b` splits them off, and its
    reverse joins them."""
    for node in inner_nodes(body.nodes):
        if isinstance(node.operation, Seq):
            node.operation.items = _rearranged(node.operation.items)
    for node in body.nodes:
        match node.operation:
            case Seq([Node(operation=Op() as only)]) if not node.attribute and not body.is_chain:
                node.operation = only


def _rearranged(items: list[Node]) -> list[Node]:
    found = list[Node]()
    for item in items:
        before = found[-1] if found else None
        pattern = None if before is None else _split(before, item) or _joined(before, item)
        if before is not None and pattern is not None:
            found[-1] = Node("", Op("layer", "Rearrange", pattern), place=before.place)
            found[-1].maker = before.maker
        else:
            found.append(item)
    return found


def _split(one: Node, two: Node) -> dict[str, object] | None:
    """Return the pattern of `Reshape: [-1, heads, width]` before `Transpose` of axes 1 and 2."""
    match one.operation, two.operation:
        case (
            Op("layer", "Reshape", {"shape": [-1, int() as heads, int() as width]}),
            Op("layer", "Transpose", {"dim0": 1, "dim1": 2}),
        ) if _sizes(one)[2:] == (heads * width,):
            return {"pattern": "n l (h c) -> n h l c", "sizes": {"h": heads}}
    return None


def _joined(one: Node, two: Node) -> dict[str, object] | None:
    """Return the pattern of `Transpose` of axes 1 and 2 before `Reshape: [-1, width]`."""
    match one.operation, two.operation:
        case (
            Op("layer", "Transpose", {"dim0": 1, "dim1": 2}),
            Op("layer", "Reshape", {"shape": [-1, int() as width]}),
        ) if len(sizes := _sizes(one)) == 4 and _product(sizes[1], sizes[3]) == width:
            return {"pattern": "n h l c -> n l (h c)"}
    return None


def _sizes(node: Node) -> tuple[Size, ...]:
    """Return the sizes of the argument of a function, () if they are unknown."""
    return node.maker.arguments[0].sizes if isinstance(node.maker, Step) else ()


def _product(one: Size, two: Size) -> int | None:
    return one * two if isinstance(one, int) and isinstance(two, int) else None
