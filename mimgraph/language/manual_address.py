"""The address of the manual, to whose pages people, editors and language models are led."""

from __future__ import annotations

MANUAL = "https://mimgraph.github.io/mimgraph/"
