"""Find the node that gives a source the shape or dtype that the others have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mimgraph.diagnostics import Diagnostic

SHAPE = re.compile(r"\((N(?:, [^()]+)?)\)")
DTYPE = re.compile(r"\b(float32|float16|bfloat16|float64|int64|int32|bool)\b")
CONVOLUTIONS = {3: "Conv1d", 4: "Conv2d", 5: "Conv3d"}


def projections(diagnostic: Diagnostic) -> Iterator[dict[str, Any]]:
    """Yield the nodes that may project or cast the source at fault."""
    if diagnostic.code == "shape-mismatch":
        yield from _to_size(diagnostic)
    if diagnostic.code == "dtype-mismatch":
        texts = (diagnostic.message, *(label.text for label in diagnostic.labels))
        wanted = [name for text in texts for name in DTYPE.findall(text)]
        for name in dict.fromkeys(wanted):
            yield {"layer": "Cast", "dtype": name}


def _to_size(diagnostic: Diagnostic) -> Iterator[dict[str, Any]]:
    """Yield a projection, where one axis has another size than that of the other source."""
    texts = (diagnostic.note, *(label.text for label in diagnostic.labels), diagnostic.message)
    shapes = [match[1].split(", ") for text in texts for match in SHAPE.finditer(text)]
    if not shapes:
        return
    here = shapes[0]
    for other in shapes[1:]:
        unlike = [n for n, (a, b) in enumerate(zip(here, other, strict=False)) if a != b]
        if len(here) != len(other) or len(unlike) != 1 or not other[unlike[0]].isdigit():
            continue
        size = int(other[unlike[0]])
        if unlike[0] == len(here) - 1:
            yield {"layer": "Linear", "out_features": size}
        elif unlike[0] == 1 and len(here) in CONVOLUTIONS:
            layer = CONVOLUTIONS[len(here)]
            yield {"layer": layer, "out_channels": size, "kernel_size": 1}
