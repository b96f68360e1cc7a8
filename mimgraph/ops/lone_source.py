"""Find the layer that stands for a merge of one source: Identity for concat, Unsqueeze for stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mimgraph.ops import registry
from mimgraph.ops.op import Op


def layer_of_one(
    merge: Op, options: Mapping[str, Any], given: str, wanted: str
) -> tuple[Op, dict[str, Any]]:
    """Return the layer that does what a merge with these options does to one source, and its options.

    A merge that returns another dtype than it is given, as average returns floats of integers, is a
    Cast. `options` may lack those that have their defaults.
    """
    layer = registry.find("layer", merge.alone if given == wanted else "Cast")
    assert layer is not None
    if given != wanted:
        return layer, {"dtype": wanted}
    return layer, {name: options.get(name, merge.defaults[name]) for name in layer.options}
