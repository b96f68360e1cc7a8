"""Print diagnostics to a terminal, with colour where it shows colour."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from mimgraph.diagnostics import Diagnostic
from mimgraph.diagnostics.render import render_text
from mimgraph.support.terminal import wants_color


def print_diagnostics(diagnostics: Sequence[Diagnostic], stream: TextIO) -> None:
    """Print diagnostics with the lines of the spec that they point at."""
    print(render_text(diagnostics, color=wants_color(stream)), file=stream)


def point_to_pages(diagnostics: Sequence[Diagnostic]) -> None:
    """Print how to read the pages of these diagnostics, if standard error is a terminal."""
    codes = " ".join(dict.fromkeys(one.code for one in diagnostics))
    if codes and sys.stderr.isatty():
        print(f"\nfor more: mimgraph explain {codes}", file=sys.stderr)
