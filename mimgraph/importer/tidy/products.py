"""Write products, softmax and dropout as the merge `attention` that computes them in one kernel."""

from __future__ import annotations

import ast
from typing import NamedTuple

from mimgraph.importer.draft import Body, Input, Node, Op, Port, Seq, Source
from mimgraph.importer.tidy.stateless import plain_reader
from mimgraph.importer.trace.records import Step, Value
from mimgraph.ir.dim import Size


class Scores(NamedTuple):
    """Scaled products of queries and keys, the bias that is added to them, and the nodes that compute them."""

    product: Node
    scale: float
    bias: Port | None


def join_products(body: Body) -> None:
    """Make `attention` of `softmax(q @ k^T * scale + bias) @ v`, with dropout or without."""
    for node in [*body.nodes]:
        if _is_product(node):
            _join(body, node)


def _join(body: Body, node: Node) -> None:
    """Put the merge in the place of the product of weights and values, if the weights are a softmax."""
    weights, value = (one.port for one in node.sources)
    options = dict[str, float]()
    after, before = node, weights.node
    if isinstance(before, Node) and before.is_op("Dropout") and plain_reader(body, before) is node:
        assert before.op is not None
        options["dropout_p"] = before.op.options.get("p", 0.5)
        after, before = before, before.sources[0].port.node
    if not isinstance(before, Node) or plain_reader(body, before) is not after:
        return
    scores = _scores(body, before)
    transposed = None if scores is None else scores.product.sources[1].port.node
    if scores is None or not isinstance(transposed, Node) or not _is_transposed(body, transposed):
        return
    query, factor = _unscaled(body, scores.product)
    scale, width = factor * scores.scale, _sizes(scores.product, 0)[-1]
    if not (isinstance(width, int) and abs(scale - width**-0.5) < 1e-9):
        options["scale"] = scale
    ports = {"query": query, "key": _keys(transposed), "value": value}
    ports |= {} if scores.bias is None else {"bias": scores.bias}
    node.operation = Op("merge", "attention", options)
    node.sources = [Source(port, name) for name, port in ports.items()]
    body.remove_unread()


def _scores(body: Body, node: Node) -> Scores | None:
    """Return the scores of which a node is the softmax over the keys."""
    op = node.op
    if op is None or op.activation is None or op.activation[0] != "Softmax":
        return None
    if _is_product(node, op.activation):
        return Scores(node, 1.0, None) if _is_last(op.activation[1], node) else None
    names = _names(node)
    parts = _scaled(_formula(op)) if names else None
    if parts is None or {parts[0], parts[2] or parts[0]} != names.keys():
        return None
    product = names[parts[0]].node
    bias = None if parts[2] is None else names[parts[2]]
    if not isinstance(product, Node) or not _is_product(product):
        return None
    if plain_reader(body, product) is not node or not _is_last(op.activation[1], product):
        return None
    fits = bias is None or _is_bias(bias, product)
    return Scores(product, parts[1], bias) if fits else None


def _names(node: Node) -> dict[str, Port]:
    """Return what the names in the formula of a node stand for; {} if it is not a formula or a sum of two."""
    if node.is_op("formula"):
        return {one.argument or "": one.port for one in node.sources}
    if node.is_op("add") and len(node.sources) == 2:
        return {name: one.port for name, one in zip("ab", node.sources, strict=True)}
    return {}


def _formula(op: Op) -> ast.expr | None:
    """Return the formula of an operation; None if it has sizes, which are not Python."""
    text = op.options["expr"] if op.name == "formula" else "a + b"
    return None if "$" in text else ast.parse(text, mode="eval").body


def _scaled(tree: ast.expr | None) -> tuple[str, float, str | None] | None:
    """Return the parts of `product * 0.125 + bias`, where both the factor and the bias may be missing."""
    match tree:
        case ast.BinOp(left, ast.Add(), ast.Name(bias)):
            found = _scaled(left)
            return None if found is None or found[2] else (*found[:2], bias)
        case ast.BinOp(ast.Name(name), ast.Mult(), ast.Constant(float() | int() as factor)):
            return name, float(factor), None
        case ast.BinOp(ast.Name(name), ast.Div(), ast.Constant(float() | int() as divisor)):
            return (name, 1 / divisor, None) if divisor else None
        case ast.Name(name):
            return name, 1.0, None
    return None


def _unscaled(body: Body, product: Node) -> tuple[Port, float]:
    """Return the queries without a factor that they were multiplied with before, and the factor."""
    port = product.sources[0].port
    node = port.node
    if isinstance(node, Node) and node.is_op("formula") and plain_reader(body, node) is product:
        assert node.op is not None
        found = _scaled(_formula(node.op))
        if found and len(node.sources) == 1 and found[2] is None and node.op.activation is None:
            return node.sources[0].port, found[1]
    return port, 1.0


def _is_product(node: Node, activation: object = None) -> bool:
    """Return whether a node is the matmul of two tensors with equal leading axes."""
    plain = node.is_op("matmul") and node.over is None and not node.take
    if not plain or not isinstance(node.maker, Step) or len(node.sources) != 2:
        return False
    one, two = _sizes(node, 0), _sizes(node, 1)
    batched = len(one) > 2 and str(one[0]) == "N"
    return (
        batched
        and one[:-2] == two[:-2]
        and node.op is not None
        and node.op.activation == activation
    )


def _sizes(node: Node, index: int) -> tuple[Size, ...]:
    """Return the sizes of an argument of the function that a node was made from."""
    given = node.maker.arguments if isinstance(node.maker, Step) else []
    return given[index].sizes if len(given) == 2 else ()


def _is_last(options: dict[str, object], product: Node) -> bool:
    """Return whether a softmax is over the last axis of a product."""
    return options in ({"dim": -1}, {"dim": len(_sizes(product, 0)) - 1})


def _is_bias(port: Port, product: Node) -> bool:
    """Return whether a tensor may be added to a product as the bias of attention."""
    value = _value(port)
    if value is None or not isinstance(product.maker, Step):
        return False
    one, two = (_sizes(product, index) for index in (0, 1))
    whole = (*one[:-1], two[-1])
    if value.dtype != product.maker.arguments[0].dtype or len(value.sizes) != len(whole):
        return False
    return all(size in (1, full) for size, full in zip(value.sizes, whole, strict=True))


def _value(port: Port) -> Value | None:
    """Return the value of an input, or the only result of a function; None if it is unknown."""
    if isinstance(port.node, Input):
        return port.node.value
    maker = port.node.maker
    results = maker.results if isinstance(maker, Step) and not port.name else []
    return results[0] if len(results) == 1 else None


def _is_transposed(body: Body, node: Node) -> bool:
    """Return whether a node ends with a swap of the last two axes."""
    last = node.operation.items[-1] if isinstance(node.operation, Seq) else node
    value = last.maker.arguments[0] if isinstance(last.maker, Step) else None
    if value is None or not last.is_op("Transpose") or last.op is None:
        return False
    axes = {last.op.options.get("dim0"), last.op.options.get("dim1")}
    alone = plain_reader(body, node) is not None or not isinstance(node.operation, Seq)
    return axes == {value.rank - 2, value.rank - 1} and alone


def _keys(node: Node) -> Port:
    """Return the keys before the swap of their axes, which a chain loses."""
    if not isinstance(node.operation, Seq):
        return node.sources[0].port
    *items, last = node.operation.items
    node.operation = Seq(items) if len(items) > 1 else items[0].operation
    if len(items) == 1:
        node.maker, node.path = items[0].maker, items[0].path
    assert last.op is not None
    return Port(node)
