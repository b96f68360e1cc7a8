"""A hover says what stands at the cursor, in Markdown."""

from __future__ import annotations

import pytest

from mimgraph.editor.features.hover.describe import hover
from mimgraph.editor.features.node_facts import Facts
from mimgraph.editor.features.uses import uses_of
from tests.helpers.cases import each
from tests.helpers.editor import analysed, pointed

# the text at the cursor, and what its hover begins with or has in it
SPEC = """
params: {hidden: 64, deeper: {search: {int: [2, 8]}, default: 4}}
inputs: {image: {shape: [3, H, W], doc: pixels}, x: [8]}
blocks:
  tower:
    doc: Two layers.
    params: {width: null, deep: 2}
    inputs: {y: [C]}
    nodes:
      wide: {layer: Linear, from: y, out_features: $(deep * C)}
      out: {layer: Linear, from: wide, out_features: $width}
    outputs: out
nodes:
  conv: {layer: Conv2d, from: image, out_channels: $hidden, kernel_size: 3, activation: ReLU}
  vec: {from: conv, seq: [{AdaptiveAvgPool2d: 1}, Flatten]}
  first: {block: tower, from: x, width: $hidden}
  second: {block: tower, from: vec, width: 5}
  both: {merge: concat, from: [first, second]}
  lstm: {layer: MultiheadAttention, from: {query: conv_rows}, num_heads: 4, take: output}
  conv_rows: {layer: Rearrange, from: conv, pattern: 'n c h w -> n (h w) c'}
outputs: {score: both, rows: lstm}
"""
CASES = {
    "layer: Con▮v2d": [
        "layer `Conv2d` → `(N, 64, H - 2, W - 2)`",
        "| `in_channels` | `3` | inferred |",
        "1,792 parameters",
    ],
    "  con▮v: {": ["**conv** layer `Conv2d`", "Convolution over two axes"],
    "  ▮vec:": ["**vec** chain → `(N, 64)`"],
    "Flat▮ten]": ["layer `Flatten` → `(N, 64)`"],
    "[{Adaptive▮AvgPool2d": ["layer `AdaptiveAvgPool2d` → `(N, 64, 1, 1)`"],
    "merge: conc▮at": ["merge `concat` → `(N, 69)`"],
    "from: ima▮ge": ["**image** `(N, 3, H, W)`", "input: pixels"],
    "[first▮, second": ["**first** `(N, 64)`", "node, `tower`"],
    "fr▮om: image": ["key `from`: "],
    "▮nodes:\n  conv": ["key `nodes`: "],
    "kernel_▮size: 3": ["**kernel_size** `3`", "option `kernel_size` of `Conv2d`"],
    "kernel_size: ▮3": ["**kernel_size** `3`"],
    "activation: Re▮LU": ["layer `ReLU`"],
    "out_channels: $hid▮den": ["**$hidden** `64`", "param of the spec"],
    "params: {hid▮den": ["**hidden** `64`"],
    "dee▮per: {search": ["**deeper** `4`", "param of the spec, searched: `2 to 8`"],
    "sear▮ch: {int": ["key `search`: The values that a search may give"],
    "$(deep * ▮C)": [
        "**C**\n- `8` in `first`\n- `64` in `second`",
        "**$(deep * C)**\n- `16` in `first`\n- `128` in `second`",
    ],
    "$(de▮ep": ["**deep** `2`", "param of the block `tower`"],
    "  tow▮er:\n": ["block `tower`", "Two layers.", "- `first` → `(N, 64)`: 1,232 parameters"],
    "block: tow▮er, from: x": [
        "block `tower` → `(N, 64)`",
        "| `width` | `64` | given |",
        "| `C` | `8` | inferred |",
    ],
    "from: x, wid▮th": ["param `width` of the block `tower`, required"],
    "inputs: {▮y": ["**y**\n- `(N, 8)` in `first`\n- `(N, 64)` in `second`"],
    "{y: [▮C]": ["**C**\n- `8` in `first`"],
    "[3, ▮H": ["**H** size known at run time, of `image` `(N, 3, H, W)`", "- `H >= 3`"],
    "imag▮e: {shape": ["**image** `(N, 3, H, W)`", "input: pixels"],
    "{score: bo▮th": ["**both** `(N, 69)`"],
    "{quer▮y: conv_rows": ["**conv_rows** `(N, H*W - "],
    "  wi▮de:": [
        "**wide** layer `Linear`",
        "- `first.wide`: `(N, 16)`\n- `second.wide`: `(N, 128)`",
    ],
}


def shown(text: str) -> str | None:
    """Return the hover at the cursor in a text."""
    whole, line, column = pointed(text)
    analysis = analysed(whole)
    found = hover(analysis, uses_of(analysis), Facts(analysis), line, column)
    return found and found.text


@each("at", [*CASES])
def test_hover(at: str) -> None:
    assert SPEC.count(at.replace("▮", "")) == 1
    text = shown(SPEC.replace(at.replace("▮", ""), at))
    assert text is not None
    assert all(part in text for part in CASES[at]), text


LIMITED = """
limits: {parameters: 30, macs: 1K, sizes: {T: 5}}
inputs: {x: [T, 4]}
nodes: {y: {layer: Linear, from: x, out_features: 4}}
outputs: y
"""
SHARES = {
    "▮limits": [
        "- `parameters`: 20 of 30 (66%)\n- `macs`: 80 of 1,000 (8%) at T = 5",
        "key `limits`",
    ],
    "para▮meters": ["**parameters** 20 of 30 (66%)", "key `parameters`"],
    "▮30": ["**parameters** 20 of 30 (66%)"],
    "siz▮es": ["key `sizes`"],
}


@pytest.mark.parametrize("at", SHARES)
@pytest.mark.parametrize("most", ["30", "10"])
def test_a_limit_shows_how_much_of_it_is_used(at: str, most: str) -> None:
    """It does so for a graph that exceeds it, too."""
    text = shown(LIMITED.replace(at.replace("▮", ""), at, 1).replace("30", most))
    expected = [
        part.replace("of 30 (66%)", f"of {most} ({2000 // int(most)}%)") for part in SHARES[at]
    ]
    assert text is not None and all(part in text for part in expected), text


def test_a_wrong_graph_has_no_share_of_a_limit() -> None:
    text = shown(LIMITED.replace("para", "pa▮ra").replace("out_features: 4", "out_features: a"))
    assert text is not None and " of 30" not in text
