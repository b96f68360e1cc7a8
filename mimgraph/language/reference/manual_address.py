"""Name the address of the manual, to whose pages people, editors and language models are led."""

MANUAL = "https://mimgraph.github.io/mimgraph/"
