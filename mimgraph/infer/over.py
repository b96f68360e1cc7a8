"""Type a node that runs over an axis of its sources: the axis is folded into the batch (`over`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mimgraph.diagnostics import Label
from mimgraph.diagnostics.text import remove
from mimgraph.infer.evaluation import compute
from mimgraph.infer.presence import FILL
from mimgraph.infer.state import Fed, Site
from mimgraph.ir.declared_graph import Apply, Call, Node
from mimgraph.ir.declared_values import FAULTY, Option
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.typed_graph import Fold, TypedNode, implies
from mimgraph.ir.typed_operations import Leaf
from mimgraph.ir.typed_walks import inner_nodes
from mimgraph.ir.types import DTYPES, MAX_AXES, TensorType, depends_on_batch


def show_over(site: Site, before: int, label: Label) -> None:
    """Add the label to the diagnostics from the index `before` on that show shapes, which lack the axis."""
    found = site.state.report.diagnostics
    for index in range(before, len(found)):
        if found[index].labels:
            found[index] = replace(found[index], labels=(*found[index].labels, label))


def check_over(site: Site, typed: TypedNode, fed: Iterable[Fed]) -> bool:
    """Return whether a source of the node is there whenever it runs, so that the sizes of the folded
    axes can be read from it; report if none is."""
    if any(implies(typed.presence, one.presence) for one in fed):
        return True
    span = site.node.span if site.node.over is None else site.node.over.span
    message = "over needs a source that is always given, and each of these may be missing"
    help = f"fill one of them first: {FILL}"
    site.fault("optional-source", message, span, help=help)
    return False


# the axis


def fold_of(site: Site, node: Node, over: Option) -> Fold | None:
    """Return the axis of the sources that `over` names, with its size; None if it is faulty, or the
    type of a source is unknown."""
    axis = _number(site, over)
    if site.fed is None or axis is None:
        return None
    if not site.fed or (isinstance(node.operation, Apply) and node.operation.kind == "tensor"):
        message = f"{site.node.name} is a tensor of the model, so over has no axis to fold"
        site.fault("bad-option", message, over.span, help=remove("over"))
        return None
    if isinstance(node.operation, Call) and node.operation.scan is not None:
        message = f"{node.name} is a scan, which runs over its own axes"
        site.fault("bad-option", message, over.span, help=remove("over"))
        return None
    folded = _folded(site, site.fed)
    if not folded:
        return None
    first = folded[0].type
    assert first is not None
    index = axis + first.rank if axis < 0 else axis
    if index == 0:
        help = "1 is the first axis after it"
        site.fault("bad-option", "over: axis 0 is the batch already", over.span, help=help)
        return None
    sizes = [_size(site, one, index, axis) for one in folded]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes) or not _are_equal(site, folded, known, index, over):
        return None
    return Fold(index, known[0])


def _folded(site: Site, fed: tuple[Fed, ...]) -> tuple[Fed, ...]:
    """Return the sources that have the axis: those with a batch, as a tensor without one is the same at
    every index. None of them where the type of a source is unknown; it is a fault if there are none."""
    if any(one.type is None for one in fed):
        return ()
    found = tuple(one for one in fed if one.type is not None and not _is_fixed(one.type))
    if not found:
        message = f"over: {fed[0].text} has no batch to fold an axis into"
        note, labels = str(fed[0].type), (Label(fed[0].producer, str(fed[0].type)),)
        site.fault("rank-mismatch", message, fed[0].source.span, note=note, labels=labels)
    return found


def _is_fixed(type_: TensorType) -> bool:
    """Return whether a source is one tensor without a batch."""
    return not type_.batched and not type_.has_moved_batch and type_.dtype in DTYPES


def _number(site: Site, over: Option) -> int | None:
    """Return the axis as it is written; None if it is no number, which is reported."""
    axis = compute(over.value, site.evaluation)
    if axis is FAULTY:
        return None
    if isinstance(axis, Dim):
        message = f"over must be the number of an axis, but it is {axis}"
        note = f"{axis} is known only at run time"
        site.fault("symbolic-size", message, over.span, note=note)
    elif not isinstance(axis, int) or isinstance(axis, bool):
        site.fault("bad-option", "over must be the number of an axis, such as 1", over.span)
    else:
        return axis
    return None


def _size(site: Site, one: Fed, index: int, axis: int) -> Size | None:
    """Return the size of the axis of a source; None if it has no such axis, which is reported."""
    type_ = one.type
    assert type_ is not None
    labels, note = (Label(one.producer, str(type_)),), str(type_)
    if type_.dtype not in DTYPES:
        message = (
            f"{one.text} is a {type_.dtype}, not one tensor, so over cannot fold an axis of it"
        )
        site.fault("dtype-mismatch", message, one.source.span)
    elif type_.has_moved_batch:
        message = f"over folds an axis into the first, and the batch of {one.text} is elsewhere"
        site.fault("batch-moved", message, one.source.span, note=note, labels=labels)
    elif not 0 < index < type_.rank:
        message = f"over: {one.text} has no axis {axis}"
        help = f"its axes after the batch: {', '.join(map(str, range(1, type_.rank)))}"
        help = help if type_.rank > 1 else f"{one.text} has no axis but the batch"
        site.fault("rank-mismatch", message, one.source.span, note=note, labels=labels, help=help)
    elif _has_batch_inside([type_]):
        message = f"over: the batch is a size of {one.text} as well, which folding would change"
        site.fault("rank-mismatch", message, one.source.span, note=note, labels=labels)
    else:
        return type_.dims[index - 1]
    return None


def _are_equal(
    site: Site, folded: tuple[Fed, ...], sizes: list[Size], index: int, over: Option
) -> bool:
    """Return whether the axis has one of these sizes in all sources; report the first that differs."""
    first = folded[0]
    for other, size in zip(folded, sizes, strict=True):
        if size != sizes[0]:
            message = (
                f"over needs one size of axis {index}: it is {sizes[0]} in {first.text}"
                f" and {size} in {other.text}"
            )
            labels = tuple(Label(one.producer, str(one.type)) for one in (first, other))
            help = f"give {other.text} this axis first: Unsqueeze and Expand repeat it along one"
            site.fault("shape-mismatch", message, over.span, labels=labels, help=help)
            return False
    return True


# the results


def unfolded(site: Site, over: Option, typed: TypedNode, fold: Fold) -> TypedNode | None:
    """Return the typed node with the axis in its results; None if one cannot have it, which is
    reported.

    A port that is no tensor, such as the `state` of a recurrent layer, is left out.
    """
    operation = typed.operation
    if isinstance(operation, Leaf) and operation.lowering.fallback is not None:
        message = f"{operation.name} fills a whole tensor, so it cannot run over an axis"
        site.fault("bad-option", message, over.span, help=remove("over"))
        return None
    tensors = {port: one for port, one in typed.results.items() if one.dtype in DTYPES}
    if typed.default is not None and typed.default not in tensors:
        message = f"over: {typed.default} is not one tensor, so it cannot get the axis back"
        site.fault("bad-option", message, over.span, help="take another port")
        return None
    for type_ in tensors.values():
        if _has_batch_inside([type_]) or (type_.batched and len(type_.dims) >= MAX_AXES):
            message = f"over: a result is {type_}, which cannot get the axis back"
            site.fault("rank-mismatch", message, over.span)
            return None
    inner = (node for node in inner_nodes(operation) if _has_batch_inside(node.results.values()))
    inside = next(inner, None)
    if inside is not None:
        shapes = " and ".join(map(str, inside.results.values()))
        message = f"over: {inside.op_name} inside gives {shapes}"
        note = "samples would meet those of all other steps, as the axis is in their batch"
        help = "a scan runs a block for each step alone"
        site.fault("rank-mismatch", message, over.span, note=note, help=help)
        return None
    results = {port: fold.unfold(type_) for port, type_ in tensors.items()}
    return replace(typed, results=results, over=fold)


def _has_batch_inside(types: Iterable[TensorType]) -> bool:
    """Return whether one of the results has the batch on another axis than the first."""
    return any(depends_on_batch(dim) for type_ in types for dim in type_.dims)
