"""List the deprecated spellings, each with what to write instead.

An old spelling of the language stays legal as long as the language has the version 1: `check` warns of it,
with the new one as help. One of Python raises a `DeprecationWarning` at the user's line, and is removed
after two releases at the earliest. docs/compatibility.md is the promise, and has a table of all of them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import NamedTuple

from mimgraph.support.entry_point import is_ours


class Instead(NamedTuple):
    """The new spelling, in a spec and in Python, and the release that deprecated the old one."""

    spelling: str
    python: str
    since: str


# layers and merges by kind and name; what to write instead is the start of a node
OPS: Mapping[tuple[str, str], Instead] = {
    ("layer", "UpsamplingNearest2d"): Instead(
        "{layer: Upsample, mode: nearest, ...}", "layers.Upsample(mode='nearest', ...)", "0.2"
    ),
    ("layer", "UpsamplingBilinear2d"): Instead(
        "{layer: Upsample, mode: bilinear, align_corners: true, ...}",
        "layers.Upsample(mode='bilinear', align_corners=True, ...)",
        "0.2",
    ),
}

# functions and arguments of Python
PYTHON: Mapping[str, Instead] = {
    "mg.Output(training_only=True)": Instead("", 'mg.Output(only="training")', "0.2"),
}


def warn(old: str, instead: Instead) -> None:
    """Warn of an old spelling in Python, at the innermost line outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    warnings.warn_explicit(
        f"{old} is deprecated since mimgraph {instead.since}: write {instead.python}",
        DeprecationWarning,
        *(frame.f_code.co_filename, frame.f_lineno),
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def warn_of_op(kind: str, name: str) -> None:
    """Warn of a call of a deprecated layer or merge in Python."""
    if instead := OPS.get((kind, name)):
        warn(f"{kind}s.{name}", instead)
