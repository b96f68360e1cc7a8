"""Diagrams for the tests of formats: one with every kind of box, and one with hostile texts."""

from __future__ import annotations

from mimgraph.picture.diagram.model import Box, Cluster, Diagram, Edge

EVERYTHING = Diagram(
    "Everything",
    "One of each.",
    (
        Box("x", "input", "x", "", ("(N, 8)",)),
        Box("y", "input", "y", "int64, optional", ("(N, 8)",), optional=True, mark="added"),
        Box("w", "tensor", "w", "parameter [4]", ("(4,)",), mark="changed"),
        Cluster(
            "tower",
            "block",
            "tower",
            "conv_bn width=8 × 3",
            (
                Box("tower.0", "layer", "", "Linear 32", ("(N, 32)",), mark="removed"),
                Box("tower.1", "layer", "", "LSTM 16", ("output (N, T, 16)", "last (N, 16)")),
            ),
            "a doc of the block",
        ),
        Box("again", "layer", "again", "conv_bn, shares tower", ("(N, 64)",), shares="tower"),
        Box("closed", "block", "closed", "residual × 12", ("(N, 64)",), shares="again"),
        Box("stages", "repeat", "stages", "halving", ("(N, 64)",)),
        Box("mlp", "seq", "mlp", "seq", ("(N, 64)",)),
        Box("a to b", "chain", "a … b", "9 layers: Linear, ReLU", ("(N, 64)",)),
        Box("fused", "merge", "fused", "formula g * a", ("(N, 64)",), "fused: formula(tower.1)"),
        Box("output o", "output", "o", "", ("(N, 1)",)),
        Box("output aux", "output", "aux", "in training", ("(N, 1)",), optional=True),
    ),
    (
        Edge("x", "tower.0", mark="removed"),
        Edge("x", "tower.1", mark="added"),
        Edge("tower.1", "fused", "last", "query"),
        Edge("y", "again"),
        Edge("again", "fused", "", "key"),
        Edge("w", "fused"),
        Edge("fused", "closed"),
        Edge("fused", "closed"),
        Edge("closed", "stages"),
        Edge("stages", "mlp"),
        Edge("mlp", "a to b"),
        Edge("a to b", "output o"),
        Edge("stages", "output aux"),
    ),
)

HOSTILE = [
    "",
    '"]; evil [label="',
    "</B>> evil",
    "<B>&lt;&amp;",
    "back\\",
    "\\N \\G \\E \\l",
    "a\nb\r\nc\td",
    "\x00\x07\x1b[31m\ud800\uffff",
    "// # /* ",
    "größer 漢字 🙂 \u202e",
    "]]> <!-- -->",
    "</title><script>alert(1)</script>",
    "' onload='alert(1)",
    "(a) Tj ET \\( \\) endstream",
]


def hostile(word: str) -> Diagram:
    """Return a diagram in which every text is `word`."""
    inner = Box("c.a", "layer", word, word, (word,), word)
    items = (
        Box("x", "input", word, word, (word,), word),
        Cluster("c", "block", word, word, (inner,), word),
    )
    return Diagram("Name", word, items, (Edge("x", "c.a", word),))


def unlike(number: int) -> str:
    """Return a spec of merges in a row without repeats to fold: in the Thue–Morse sequence no part
    comes three times in a row."""
    lines = ["inputs: {x: [4]}", "nodes:"]
    for i in range(number):
        merge = ("add", "multiply")[i.bit_count() % 2]
        before = f"n{i - 1}" if i else "x"
        lines.append(f"  n{i}: {{merge: {merge}, from: [x, {before}]}}")
    return "\n".join([*lines, f"outputs: n{number - 1}"])


# a spec with what every format shows
PAIR = """
name: Pair
doc: 'two "towers" & <more>'
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
blocks:
  conv: {params: {width: null}, seq: [{Conv2d: {out_channels: $width, kernel_size: 3}}, ReLU]}
nodes:
  tower: {from: left, seq: [{conv: {width: 4, repeat: 2}}, Flatten]}
  again: {share: tower, from: right}
  fused: {merge: concat, from: [tower, again], activation: Tanh}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score
"""
