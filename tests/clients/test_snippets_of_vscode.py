"""Each snippet of the VS Code extension, expanded, is a legal spec, or completes one."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from textwrap import indent

import mimgraph as mg
from tests.conftest import ROOT
from tests.helpers.cases import each

FILE = ROOT / "editors/vscode/snippets/specs.json"
SNIPPETS = {one["prefix"]: "\n".join(one["body"]) for one in json.loads(FILE.read_text()).values()}
STOP = re.compile(
    r"\\(?P<escaped>.)"
    r"|\$(?P<again>\d+)"
    r"|\$\{(?P<number>\d+)(?::(?P<text>[^}]*)|\|(?P<choices>[^}]*)\|)\}"
)

WHOLE = "%"
NODE = """
inputs: {x: [8], a: [8], b: [8]}
nodes:
  %
outputs: [x, a, b, NAME]
"""
EMBEDDED = """
inputs:
  %
nodes:
  y: {layer: Embedding, from: NAME, embedding_dim: 2}
outputs: y
"""
# the spec around each snippet; NAME is the last name that it brings
AROUND = {
    "mim-spec": WHOLE,
    "mim-image-table": WHOLE,
    "mim-two-towers": WHOLE,
    "mim-text-classifier": WHOLE,
    "mim-inputs": "%\nnodes: {y: {layer: Flatten, from: image}}\noutputs: [y, numbers]",
    "mim-category": EMBEDDED,
    "mim-tokens": EMBEDDED,
    "mim-optional": """
inputs:
  %
  x: [4]
nodes: {y: {layer: Fill, from: audio, value: zeros}}
outputs: [x, y]
""",
    "mim-layer": NODE,
    "mim-chain": NODE,
    "mim-merge": NODE,
    "mim-formula": NODE,
    "mim-gate": NODE,
    "mim-parameter": NODE,
    "mim-attention": """
inputs: {tokens: [T, 8], memory: [S, 8]}
nodes:
  %
outputs: attended
""",
    "mim-embeddings": """
inputs: {city: {vocab: 5}, job: {vocab: 5}}
nodes:
  %
outputs: table
""",
    "mim-fill": """
inputs: {x: [4], audio: {shape: [8], optional: true}}
nodes:
  %
outputs: [x, audio_or_none]
""",
    "mim-share": """
inputs: {x: [8]}
nodes:
  hidden: {layer: Linear, from: x, out_features: 8}
  %
outputs: [hidden, again]
""",
    "mim-use": """
inputs: {x: [8]}
blocks:
  residual: {seq: [{Linear: 8}]}
nodes:
  %
outputs: stage
""",
    "mim-block": """
inputs: {image: [3, 9, 9]}
blocks:
  %
nodes: {y: {block: residual, from: image}}
outputs: y
""",
    "mim-block-chain": """
inputs: {image: [3, 9, 9]}
blocks:
  %
nodes: {y: {block: conv_bn, from: image, width: 4}}
outputs: y
""",
    "mim-outputs": """
inputs: {x: [8]}
nodes:
  score: {layer: Linear, from: x, out_features: 1}
  aux: {layer: Linear, from: x, out_features: 1}
%
""",
}


def expansions(body: str) -> Iterator[str]:
    """Expand a snippet with its defaults, once for each of its choices."""
    stops = [one for one in STOP.finditer(body) if one["number"]]
    values = [
        (one["choices"] or one["text"]).split("," if one["choices"] else "\0") for one in stops
    ]
    for chosen in itertools.product(*values):
        texts = dict(zip((one["number"] for one in stops), chosen, strict=True))
        yield STOP.sub(
            lambda one, texts=texts: one["escaped"] or texts.get(one["again"] or one["number"], ""),
            body,
        )


def completed(around: str, text: str) -> str:
    """Put an expanded snippet into its spec, indented as an editor does."""
    (margin,) = re.findall(r"^( *)%", around, re.MULTILINE)
    name = re.findall(r"^(\w+):", text, re.MULTILINE)[-1]
    return around.replace(f"{margin}%", indent(text, margin)).replace("NAME", name)


def test_each_snippet_is_tried() -> None:
    assert SNIPPETS.keys() == AROUND.keys()


@each("prefix", [*AROUND])
def test_a_snippet_is_legal(prefix: str) -> None:
    for text in expansions(SNIPPETS[prefix]):
        mg.loads(completed(AROUND[prefix], text))
