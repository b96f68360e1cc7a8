"""Read the table of torchvision's classifiers: their weights, options, features and shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mimgraph.support.frozen_data import data, field

FILE = Path(__file__).with_name("torchvision_models.json")


@data
class Entry:
    """What the table says about a classifier.

    `weights` has the file of each, `options` are those of its constructor that a spec may give,
    `always` the arguments that are always given, and `anew` those without weights. It takes images of `exact` pixels a side, or of
    `least` pixels at least. The `result` and the `features` are shapes in H, W and num_classes.
    `image_sizes` has the pixels a side for each of its weights, if it has an option for them.
    """

    weights: Mapping[str, str]
    result: str
    features: Mapping[str, str]
    options: tuple[str, ...] = ()
    always: Mapping[str, Any] = field(default_factory=dict)
    anew: Mapping[str, Any] = field(default_factory=dict)
    exact: int | None = None
    least: int = 1
    image_sizes: Mapping[str, int] = field(default_factory=dict)


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(FILE.read_bytes())
    return table


def release() -> tuple[int, ...]:
    """Return the release of torchvision that the table is of."""
    return tuple(map(int, _table()["torchvision"].split(".")))


def models() -> list[str]:
    """Return the names of the classifiers."""
    return [*_table()["models"]]


@cache
def entry(model: str) -> Entry | None:
    """Return what the table says about a classifier; None for a model that it does not have."""
    found = _table()["models"].get(model)
    return None if found is None else Entry(**{**found, "options": tuple(found.get("options", ()))})
