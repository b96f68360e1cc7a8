"""Define the records for the node of a row and for its result."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

from mimgraph.importer.foreign.ultralytics.library import Block, default, takes

ONE = Fraction(1)
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Result(NamedTuple):
    """What a row gives to others: its name as a source, its channels, by how much it is smaller than
    the image, and the channels of its `parts` where it is split."""

    source: str
    channels: int
    stride: Fraction
    parts: tuple[int, ...] = ()


class Made(NamedTuple):
    """What a row becomes.

    `node` has no sources yet. The height and width of its result are those of its source divided by
    `stride`; that the map is cut into `areas` of equal size bounds these as well. `keys` are the keys of its weights that are not the module's own, ours to theirs, and
    `blocks` those that are not in the library. A head has `outputs`, from public names to ports, of which some are there
    `only_in_training`; if it `has_feats`, the maps that it reads are outputs, too. What it does besides is
    `left_out`.
    """

    node: dict[str, Any]
    channels: int
    stride: Fraction = ONE
    areas: int = 1
    keys: Mapping[str, str] = NOTHING
    blocks: Mapping[str, Block] = NOTHING
    outputs: Mapping[str, str] = NOTHING
    only_in_training: tuple[str, ...] = ()
    has_feats: bool = True
    left_out: Mapping[str, str] = NOTHING


def block(name: str, channels: int, stride: int | Fraction = 1, /, **params: Any) -> Made:
    """Return a use of a block of the library; params that are its defaults are not written."""
    if takes(name, "out_channels"):
        params = {"out_channels": channels, **params}
    written = {key: value for key, value in params.items() if value != default(name, key, params)}
    return Made({"block": name, **written}, channels, Fraction(stride))
