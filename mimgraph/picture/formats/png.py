"""Write a figure as PNG: its SVG in mimgraph's own fonts, with a description for screen readers."""

from __future__ import annotations

import struct
import zlib
from math import sqrt

from mimgraph.picture.figure import Figure, figure
from mimgraph.picture.formats import svg
from mimgraph.picture.geometry import Text
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import FILES, missing, plain

SCALE = 2.0  # pixels for each point: 144 for each inch
# a larger picture is shrunk, because viewers show no more
MOST_PIXELS = 25_000_000
LONGEST = 30_000  # pixels along one side
_HEADER = 33  # bytes of the signature and the first chunk, which must come first


def render(scene: Scene) -> bytes:
    """Return the scene as a PNG file."""
    import resvg_py  # imported here, so that commands that draw nothing start fast

    drawn = figure(scene)
    width, height = drawn.width, drawn.height
    zoom = min(SCALE, sqrt(MOST_PIXELS / (width * height)), LONGEST / max(width, height))
    drawn.warn_if_small(zoom)
    tall = height > width
    longer = max(1, round(max(width, height) * zoom))
    pixels = resvg_py.svg_to_bytes(
        svg_string=svg.render_figure(drawn),
        height=longer if tall else None,
        width=None if tall else longer,
        dpi=72,
        skip_system_fonts=not _needs_other_fonts(drawn),
        font_files=list(map(str, FILES.values())),
        sans_serif_family="Mimgraph Sans",
        monospace_family="Mimgraph Mono",
    )
    description = _chunk(b"iTXt", b"Description\0\0\0\0\0" + plain(drawn.description).encode())
    return pixels[:_HEADER] + description + pixels[_HEADER:]


def _needs_other_fonts(drawn: Figure) -> bool:
    """Return whether some characters are missing from mimgraph's fonts."""
    texts = (shape for group in drawn.groups for shape in group.shapes if isinstance(shape, Text))
    return any(missing(run.text, run.face) for text in texts for run in text.line.runs)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
