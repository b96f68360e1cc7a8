"""Check the image that a model of a library is called on."""

from __future__ import annotations

from mimgraph.ir.axes_help import node
from mimgraph.ir.dim import Dim, at_least
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import known, weighted, with_rank

SHAPE = "(N, C, H, W)"
MOST_CLASSES = 2**24  # far above any data set


def check_image(image: TensorType, name: str, channels: int) -> None:
    """Refuse a source that is no batch of images with so many channels."""
    weighted(image, name, "input")
    with_rank(image, 3, name, SHAPE, "input")
    if not image.batched:
        message = f"{name} takes a batch of images, {SHAPE}"
        raise OpFault("rank-mismatch", message, source="input", note=str(image))
    if known(image.dims[0], "the number of channels", "input") != channels:
        message = f"{name} takes images of {channels} channels, not {image.dims[0]}"
        raise OpFault("shape-mismatch", message, source="input", note=str(image))


def check_classes(classes: object, name: str) -> None:
    """Refuse a number of classes for which no model can be made."""
    if isinstance(classes, int) and classes > MOST_CLASSES:
        message = f"num_classes of {name} must be at most {MOST_CLASSES:,}, not {classes}"
        raise OpFault("bad-option", message, option="num_classes")


def check_exact(image: TensorType, name: str, size: tuple[int, int], help: str = "") -> None:
    """Refuse images of another size than the only one that a model takes."""
    if image.dims[1:] == size:
        return
    height, width = size
    is_known = all(isinstance(one, int) for one in image.dims[1:])
    resized = f"resize them first: {node('Interpolate', '...', f'size: [{height}, {width}]')}"
    raise OpFault(
        "shape-mismatch" if is_known else "symbolic-size",
        f"{name} takes images of {height} x {width} pixels",
        source="input",
        note=str(image),
        help=f"{resized}{help}" if is_known else f"give the input these sizes, or {resized}",
    )


def least(image: TensorType, name: str, pixels: int) -> list[Constraint]:
    """Return the constraints under which images are large enough; refuse those that are too small."""
    found = []
    for size in image.dims[1:]:
        answer = at_least(size, pixels)
        if answer is False:
            message = f"{name} takes images of at least {pixels} x {pixels} pixels"
            raise OpFault("shape-mismatch", message, source="input", note=str(image))
        if answer is None:
            assert isinstance(size, Dim)
            found.append(Constraint(size, pixels))
    return found
