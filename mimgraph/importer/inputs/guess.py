"""Guess inputs that were not given, by their names and by the layers of the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product

from torch import nn

from mimgraph.importer.inputs.given import Given

MOST = 100  # guesses for all inputs together
_SIDES = (224, 32, 28, 64, 128, 256)  # of images
_IMAGE = Given((3, 224, 224))
_BY_NAME = (
    (("image", "img", "pixel", "picture"), _IMAGE),
    (("mask",), Given(("T",), dtype="bool")),
    (("ids", "text", "token", "word"), Given(("T",), vocab=1000)),
    (("length", "lens"), Given((), dtype="int64")),
)


def guesses(model: nn.Module, names: Sequence[str]) -> Iterator[dict[str, Given]]:
    """Yield inputs of these names, the likeliest first; each may fit the model or not."""
    read = [*dict.fromkeys(one for module in model.modules() for one in _read_by(module))]
    every = product(*(_named(name, read) for name in names))
    return (dict(zip(names, tried, strict=True)) for tried in islice(every, MOST))


def _named(name: str, read: Sequence[Given]) -> list[Given]:
    """Return the guesses for an input: of the kind that its name says, if it says one."""
    for words, usual in _BY_NAME:
        if any(word in name.lower() for word in words):
            return [usual, *(one for one in read if _is_alike(one, usual))]
    return [*read, Given((16,))]


def _is_alike(one: Given, usual: Given) -> bool:
    if usual is _IMAGE:
        return one.shape is not None and len(one.shape) == 3
    return usual.vocab is not None and one.vocab is not None


def _read_by(module: nn.Module) -> Iterator[Given]:
    """Yield inputs that a layer can read."""
    match module:
        case nn.Linear(in_features=width):
            yield from (Given((width,)), Given(("T", width)))
        case nn.RNNBase(input_size=width) | nn.MultiheadAttention(embed_dim=width):
            yield Given(("T", width))
        case nn.Embedding(num_embeddings=count):
            yield from (Given(("T",), vocab=count), Given((), vocab=count))
        case nn.Conv1d(in_channels=channels):
            yield Given((channels, "T"))
        case nn.Conv2d(in_channels=channels):
            yield from (Given((channels, side, side)) for side in _SIDES)
        case nn.Conv3d(in_channels=channels):
            yield Given((channels, 16, 64, 64))


def in_python(given: Given) -> str:
    """Return a guess as Python writes it: `(3, 224, 224)`, `{"shape": ("T",), "vocab": 1000}`."""
    sizes = [f'"{size}"' if isinstance(size, str) else f"{size}" for size in given.shape or ()]
    shape = f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
    if given.vocab is not None:
        return f'{{"shape": {shape}, "vocab": {given.vocab}}}'
    return shape if given.dtype is None else f'{{"shape": {shape}, "dtype": "{given.dtype}"}}'


def in_command(given: Given) -> str:
    """Return a guess as the command line writes it: `3,224,224`, `T:vocab=1000`."""
    vocab = "" if given.vocab is None else f":vocab={given.vocab}"
    dtype = "" if given.dtype is None else f":dtype={given.dtype}"
    return ",".join(map(str, given.shape or ())) + vocab + dtype
