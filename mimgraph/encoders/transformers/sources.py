"""Check the sources of a model of transformers against its config, and count the tokens that it makes."""

from __future__ import annotations

from collections.abc import Mapping

from mimgraph.diagnostics.text import code
from mimgraph.encoders.transformers.configs import Config
from mimgraph.ir.axes_help import node
from mimgraph.ir.dim import Dim, Size
from mimgraph.ir.types import Constraint, TensorType
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import (
    TRUE,
    check_marks,
    dtype_fault,
    known,
    same_dims,
    weighted,
    with_rank,
)

IDS = ("int32", "int64")


def tokens(
    name: str, config: Config, sources: Mapping[str, TensorType]
) -> tuple[Size, tuple[Constraint, ...]]:
    """Return the number of tokens of the result, and what must hold when the model runs; raise the fault
    of a source that the model does not take. `name` is the model in messages."""
    if config.family.reads == "input_ids":
        return _of_texts(name, config, sources)
    return _of_images(name, config, sources["pixel_values"])


def _of_texts(
    name: str, config: Config, sources: Mapping[str, TensorType]
) -> tuple[Size, tuple[Constraint, ...]]:
    """Return the number of tokens of texts."""
    ids = sources["input_ids"]
    check_ids(name, "input_ids", ids, config.size("vocab_size"))
    steps = ids.dims[0]
    for key in ("attention_mask", "token_type_ids"):
        if key in sources:
            _like_ids(name, key, sources[key], ids)
    if "token_type_ids" in sources:
        types = sources["token_type_ids"]
        check_ids(name, "token_type_ids", types, config.size("type_vocab_size"))
    return steps, _at_most(name, steps, config.longest)


def check_ids(name: str, key: str, ids: TensorType, vocab: int) -> None:
    """Refuse a source unless it is whole numbers, (N, T), each of which the model has a vector for."""
    if ids.dtype not in IDS:
        help = f"declare the input {code('{shape: [T], vocab: 30522}')}"
        raise OpFault(
            "dtype-mismatch", f"{name} takes {key} in int64", source=key, note=ids.dtype, help=help
        )
    with_rank(ids, 1, name, f"{key} (N, T)", key)
    if vocab and ids.vocab is not None and ids.vocab > vocab:
        message = f"{name} knows {vocab} {key}, fewer than the vocab of this source"
        known = code(f"vocab: {vocab}")
        help = f"give the input {known}, and make its numbers with the model's own tokenizer"
        note = code(f"vocab: {ids.vocab}")
        raise OpFault("bad-option", message, source=key, note=note, help=help)


def _like_ids(name: str, key: str, given: TensorType, ids: TensorType) -> None:
    """Refuse a source unless it has a number for each token."""
    if not given.batched or not same_dims(given, ids):
        message = f"{name} takes {key} of the shape of input_ids"
        raise OpFault("shape-mismatch", message, source=key, mentions=("input_ids", key))
    if key == "attention_mask":
        if given.dtype not in ("bool", *IDS):
            raise dtype_fault(given, name, "an attention_mask in bool or int64", key, to="bool")
        check_marks(given, "real", f"{name} takes an attention_mask that is {TRUE} at tokens", key)


def _at_most(name: str, steps: Size, longest: int | None) -> tuple[Constraint, ...]:
    """Return the constraint of a model that counts its tokens; raise the fault of too many."""
    if longest is None:
        return ()
    if isinstance(steps, Dim):
        room = longest - steps
        return (Constraint(room, 0),) if isinstance(room, Dim) else ()
    if steps > longest:
        message = f"{name} takes at most {longest} tokens"
        help = "cut the text into parts, or take a model for longer texts"
        raise OpFault("shape-mismatch", message, source="input_ids", note=f"T = {steps}", help=help)
    return ()


def _of_images(name: str, config: Config, image: TensorType) -> tuple[Size, tuple[Constraint, ...]]:
    """Return the number of tokens of images."""
    weighted(image, name, "pixel_values")
    channels = config.size("num_channels")
    with_rank(image, 3, name, f"pixel_values (N, {channels}, H, W)", "pixel_values")
    given, *sides = image.dims
    if given != channels:
        message = f"{name} takes {channels} channels"
        raise OpFault("shape-mismatch", message, source="pixel_values", note=str(image))
    patch, wanted = config.size("patch_size"), config.size("image_size")
    before = config.family.before + config.size("num_register_tokens")
    if config.family.resized:
        low, wide = (side // patch for side in sides)
        requires = tuple(Constraint(side, patch) for side in sides if isinstance(side, Dim))
        if any(not isinstance(side, Dim) and side < patch for side in sides):
            message = f"{name} takes images of at least {patch} x {patch}"
            raise OpFault("empty-output", message, source="pixel_values", note=str(image))
        return low * wide + before, requires
    if [known(side, "a side of the image", "pixel_values") for side in sides] != [wanted] * 2:
        message = f"{name} takes images of {wanted} x {wanted}"
        resized = node("Upsample", "{pixel_values}", f"size: [{wanted}, {wanted}]")
        help = f"resize them first: {resized}"
        raise OpFault("shape-mismatch", message, source="pixel_values", note=str(image), help=help)
    return (wanted // patch) ** 2 + before, ()
