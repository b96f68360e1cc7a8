"""A figure as PNG: its SVG in the fonts that we bring along, with the words for it inside the file."""

from __future__ import annotations

import struct
import zlib
from math import sqrt

from mimgraph.picture.figure import Figure, figure
from mimgraph.picture.formats import svg
from mimgraph.picture.geometry import Text
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import FILES, missing, plain

SCALE = 2.0  # pixels a point: 144 an inch
# a larger picture is made smaller: viewers show no more
MOST_PIXELS = 25_000_000
LONGEST = 30_000  # pixels of a side
_HEADER = 33  # bytes before which nothing may stand


def picture(scene: Scene) -> bytes:
    """The scene as a PNG file."""
    import resvg_py  # which only this needs, and summaries should start fast

    drawn = figure(scene)
    width, height = drawn.width, drawn.height
    zoom = min(SCALE, sqrt(MOST_PIXELS / (width * height)), LONGEST / max(width, height))
    drawn.warn_of(zoom)
    tall = height > width
    longer = max(1, round(max(width, height) * zoom))
    pixels = resvg_py.svg_to_bytes(
        svg_string=svg.drawn(drawn),
        height=longer if tall else None,
        width=None if tall else longer,
        dpi=72,
        skip_system_fonts=not _is_foreign(drawn),
        font_files=list(map(str, FILES.values())),
        sans_serif_family="Mimgraph Sans",
        monospace_family="Mimgraph Mono",
    )
    words = _chunk(b"iTXt", b"Description\0\0\0\0\0" + plain(drawn.told).encode())
    return pixels[:_HEADER] + words + pixels[_HEADER:]


def _is_foreign(drawn: Figure) -> bool:
    """Whether there are letters that only the machine may have."""
    texts = (shape for group in drawn.groups for shape in group.shapes if isinstance(shape, Text))
    return any(missing(run.text, run.face) for text in texts for run in text.line.runs)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
