"""The tensors of two models are matched by their flows, which `align.md` writes as text."""

from __future__ import annotations

import re
from pathlib import Path

from mimgraph.runtime.weight_transfer.align import Flow, align
from tests.helpers.cases import check_texts


def flow(text: str) -> Flow:
    """Return the flow of a text such as `a.w:3x4 b.w:4 / x>a.w a.w>b.w`."""
    tensors, _, pairs = text.partition("/")
    named = (word.split(":") for word in tensors.split())
    shapes = {key: tuple(int(size) for size in sizes.split("x")) for key, sizes in named}
    feeds = (re.split("[>@]", pair) for pair in pairs.split())
    return Flow(shapes, frozenset((source, target, "".join(way)) for source, target, *way in feeds))


def test_align(rewrite: bool) -> None:
    def matched(ours: str, theirs: str) -> str:
        pairs = align(flow(ours), flow(theirs)).items()
        line = " ".join(f"{key}={other}" for key, other in pairs)
        return f"{line}\n" if line else ""

    check_texts(Path(__file__).with_name("align.md"), matched, rewrite)
