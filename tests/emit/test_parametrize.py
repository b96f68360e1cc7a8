"""Lifting: what differs between the uses of a block becomes an argument of its class.

A case is a block `tower`, its uses `p` and `q`, the classes it becomes and how each use makes one.
"""

from __future__ import annotations

from textwrap import dedent, indent
from typing import NamedTuple

import pytest

import mimgraph


class Case(NamedTuple):
    block: str
    uses: tuple[str, str]
    classes: str
    made: tuple[str, str]
    inputs: str = "{a: [8], b: [16]}"
    more: str = ""  # another block
    params: str = "{}"  # of the spec


PLAIN = ("p: {block: tower, from: a}", "q: {block: tower, from: b}")
WIDER = (PLAIN[0], "q: {block: tower, from: b, width: 6}")
TOWERS = ("Tower(8)", "Tower(16)")

CASES = {
    "zeros of two signs differ": Case(
        "{params: {value: 1.0}, seq: [{Pad: {pad: [1, 1], value: $value}}, ReLU]}",
        ("p: {block: tower, from: a, value: 0.0}", "q: {block: tower, from: a, value: -0.0}"),
        """
        class Pad(nn.Module):
            def __init__(self, value: float) -> None:
                super().__init__()
                self.value = value

            def forward(self, x: Tensor) -> Tensor:
                return F.pad(x, (1, 1), value=self.value)


        class Tower(nn.Sequential):
            def __init__(self, value: float = 1.0) -> None:
                super().__init__(Pad(value), nn.ReLU())
        """,
        ("Tower(value=0.0)", "Tower(value=-0.0)"),
        "{a: [8]}",
    ),
    "a size of a pattern has its name, unless that is a keyword": Case(
        "{params: {heads: 2}, seq: [{Rearrange: {pattern: 't (h c) -> t h c', sizes: {h: $heads}}},"
        " {Rearrange: {pattern: 't h (if c) -> t if c h', sizes: {if: $heads}}}]}",
        ("p: {block: tower, from: a}", "q: {block: tower, from: a, heads: 4}"),
        """
        class Rearrange(nn.Module):
            def __init__(self, h: int) -> None:
                super().__init__()
                self.h = h

            def forward(self, x: Tensor) -> Tensor:
                return x.unflatten(1, (self.h, -1))


        class Rearrange2(nn.Module):
            def __init__(self, value: int) -> None:
                super().__init__()
                self.value = value

            def forward(self, x: Tensor) -> Tensor:
                return x.unflatten(2, (self.value, -1)).permute(0, 2, 3, 1)


        class Tower(nn.Sequential):
            def __init__(self, heads: int = 2) -> None:
                super().__init__(Rearrange(heads), Rearrange2(heads))
        """,
        ("Tower()", "Tower(heads=4)"),
        "{a: [16]}",
    ),
    "what no use varies keeps its value": Case(
        "{seq: [{Linear: 4}, ReLU]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Linear(8, 4), nn.ReLU())
        """,
        ("Tower()", "Tower()"),
        "{a: [8], b: [8]}",
    ),
    "a param of the spec is a number, in arithmetic too": Case(
        "{inputs: {x: [D]}, seq: [{Linear: $(expand * D)}, {Linear: $classes}]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(nn.Linear(in_features, 6 * in_features), nn.Linear(6 * in_features, 10))
        """,
        TOWERS,
        params="{expand: 6, classes: 10}",
    ),
    "arithmetic written at one place explains the same values at another": Case(
        "{inputs: {x: [D]}, seq: [{wide: $(2 * D)}, {LayerNorm: {}}, {Linear: 3}]}",
        PLAIN,
        """
        class Wide(nn.Sequential):
            def __init__(self, in_features: int, width: int) -> None:
                super().__init__(nn.Linear(in_features, width))


        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(
                    Wide(in_features, width=2 * in_features),
                    nn.LayerNorm(2 * in_features),
                    nn.Linear(2 * in_features, 3),
                )
        """,
        TOWERS,
        more="wide: {params: {width: null}, seq: [{Linear: $width}]}",
    ),
    "a size in place of the long arithmetic that ops make of it": Case(
        "{inputs: {x: [T, D]}, seq: [{Linear: $(3 * D)}, "
        "{Unflatten: {dim: 2, unflattened_size: [3, -1]}}, {Mean: 2}, {Linear: 3}]}",
        PLAIN,
        """
        class Mean(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x.mean(2)


        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(
                    nn.Linear(in_features, 3 * in_features),
                    nn.Unflatten(dim=2, unflattened_size=(3, -1)),
                    Mean(),
                    nn.Linear(in_features, 3),
                )
        """,
        TOWERS,
        "{a: [5, 8], b: [5, 16]}",
    ),
    "a param inside a tuple": Case(
        "{params: {reach: 1}, seq: [{ZeroPad1d: [$reach, 0]}]}",
        (PLAIN[0], "q: {block: tower, from: b, reach: 2}"),
        """
        class Tower(nn.Sequential):
            def __init__(self, reach: int = 1) -> None:
                super().__init__(nn.ZeroPad1d((reach, 0)))
        """,
        ("Tower()", "Tower(reach=2)"),
        "{a: [4, 8], b: [4, 8]}",
    ),
    "how often it repeats, as it was written": Case(
        "{params: {depth: 2}, seq: [{Linear: 8}, {step: {repeat: $(depth - 1)}}]}",
        (PLAIN[0], "q: {block: tower, from: b, depth: 4}"),
        """
        class Step(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Linear(8, 8))


        class Tower(nn.Sequential):
            def __init__(self, depth: int = 2) -> None:
                super().__init__(nn.Linear(8, 8), nn.Sequential(*[Step() for _ in range(depth - 1)]))
        """,
        ("Tower()", "Tower(depth=4)"),
        "{a: [8], b: [8]}",
        "step: {seq: [{Linear: 8}]}",
    ),
    "a class of one use is written as it is": Case(
        "{params: {width: 4}, seq: [{Linear: $width}, ReLU]}",
        (PLAIN[0], "q: {layer: ReLU, from: b}"),
        """
        class Tower(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Linear(8, 4), nn.ReLU())
        """,
        ("Tower()", "nn.ReLU()"),
    ),
    "a param with its default, given by keyword where it is another": Case(
        "{params: {width: 4}, seq: [{Linear: $width}]}",
        WIDER,
        """
        class Tower(nn.Sequential):
            def __init__(self, width: int = 4) -> None:
                super().__init__(nn.Linear(8, width))
        """,
        ("Tower()", "Tower(width=6)"),
        "{a: [8], b: [8]}",
    ),
    "a param without a default": Case(
        "{params: {width: null}, seq: [{Linear: $width}]}",
        ("p: {block: tower, from: a, width: 4}", WIDER[1]),
        """
        class Tower(nn.Sequential):
            def __init__(self, width: int) -> None:
                super().__init__(nn.Linear(8, width))
        """,
        ("Tower(width=4)", "Tower(width=6)"),
        "{a: [8], b: [8]}",
    ),
    "a param explains what it is not written in": Case(
        "{params: {width: 4}, seq: [{Linear: $width}, {Linear: 8}]}",
        WIDER,
        """
        class Tower(nn.Sequential):
            def __init__(self, width: int = 4) -> None:
                super().__init__(nn.Linear(8, width), nn.Linear(width, 8))
        """,
        ("Tower()", "Tower(width=6)"),
        "{a: [8], b: [8]}",
    ),
    "an expression over params": Case(
        "{params: {width: 4}, seq: [{Linear: $(2 * width)}]}",
        WIDER,
        """
        class Tower(nn.Sequential):
            def __init__(self, width: int = 4) -> None:
                super().__init__(nn.Linear(8, 2 * width))
        """,
        ("Tower()", "Tower(width=6)"),
        "{a: [8], b: [8]}",
    ),
    "an expression over dimensions, one with torch's name if it has the same values": Case(
        "{inputs: {x: [D]}, seq: [{Linear: $(D // 2)}]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(nn.Linear(in_features, in_features // 2))
        """,
        TOWERS,
    ),
    "a dimension that no argument of torch has keeps its own name": Case(
        "{inputs: {x: [C, L]}, seq: [Flatten, {Linear: $C}]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int, C: int) -> None:
                super().__init__(nn.Flatten(), nn.Linear(in_features, C))
        """,
        ("Tower(8, 2)", "Tower(24, 4)"),
        "{a: [2, 4], b: [4, 6]}",
    ),
    "one argument for what has the same values, by the most usual of its names": Case(
        "{seq: [BatchNorm1d, {Linear: 4}]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(nn.BatchNorm1d(in_features), nn.Linear(in_features, 4))
        """,
        TOWERS,
    ),
    "ratios are not guessed": Case(
        "{seq: [Flatten, {Linear: 4}, {Linear: 2}]}",
        PLAIN,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int) -> None:
                super().__init__(nn.Flatten(), nn.Linear(in_features, 4), nn.Linear(4, 2))
        """,
        TOWERS,
        "{a: [2, 4], b: [2, 8]}",
    ),
    "derived arguments come first and by position": Case(
        "{params: {width: 4}, seq: [{Linear: $width}]}",
        WIDER,
        """
        class Tower(nn.Sequential):
            def __init__(self, in_features: int, width: int = 4) -> None:
                super().__init__(nn.Linear(in_features, width))
        """,
        ("Tower(8)", "Tower(16, width=6)"),
    ),
    "what forward needs is an attribute": Case(
        """
        params: {slope: 0.1}
        inputs: [x]
        nodes: {y: {layer: ReLU, from: x, activation: {LeakyReLU: $slope}}}
        outputs: y
        """,
        (PLAIN[0], "q: {block: tower, from: b, slope: 0.2}"),
        """
        class Tower(nn.Module):
            def __init__(self, slope: float = 0.1) -> None:
                super().__init__()
                self.slope = slope
                self.y = nn.ReLU()

            def forward(self, x: Tensor) -> Tensor:
                return F.leaky_relu(self.y(x), negative_slope=self.slope)
        """,
        ("Tower()", "Tower(slope=0.2)"),
    ),
    "a comment on which the uses disagree is left out": Case(
        """
        inputs: [x]
        nodes: {y: {layer: ReLU, from: x}, z: {layer: Tanh, from: y}}
        outputs: z
        """,
        PLAIN,
        """
        class Tower(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.y = nn.ReLU()
                self.z = nn.Tanh()

            def forward(self, x: Tensor) -> Tensor:
                y = self.y(x)
                return self.z(y)
        """,
        ("Tower()", "Tower()"),
    ),
    "uses that differ in more than constants are classes of their own": Case(
        "{params: {times: 1}, seq: [{step: {repeat: $times}}, {Linear: 4}]}",
        (PLAIN[0], "q: {block: tower, from: b, times: 0}"),
        """
        class Step(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.ReLU())


        class Tower(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Identity(), nn.Linear(16, 4))


        class Tower2(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(nn.Sequential(*[Step() for _ in range(1)]), nn.Linear(8, 4))
        """,
        ("Tower2()", "Tower()"),
        more="step: {seq: [ReLU]}",
    ),
    "items of chains of the block and of the graph share their classes": Case(
        "{seq: [{LSTM: {hidden_size: 4, take: last}}, {Unsqueeze: 1}, {Select: {dim: 1, index: 0}}]}",
        (
            PLAIN[0],
            (
                "q: {from: b, seq: [{LSTM: {hidden_size: 4, take: last}}, {Unsqueeze: 1},"
                " {Select: {dim: 2, index: 3}}]}"
            ),
        ),
        """
        class LastLSTM(nn.LSTM):
            def forward(self, x: Tensor) -> Tensor:
                return super().forward(x)[1][0][-1]


        class Unsqueeze(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x.unsqueeze(1)


        class Select(nn.Module):
            def __init__(self, dim: int, index: int) -> None:
                super().__init__()
                self.dim = dim
                self.index = index

            def forward(self, x: Tensor) -> Tensor:
                return x.select(self.dim, self.index)


        class Tower(nn.Sequential):
            def __init__(self) -> None:
                super().__init__(LastLSTM(8, 4, batch_first=True), Unsqueeze(), Select(1, 0))
        """,
        (
            "Tower()",
            "nn.Sequential(LastLSTM(8, 4, batch_first=True), Unsqueeze(), Select(2, 3))",
        ),
        "{a: [6, 8], b: [6, 8]}",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_differs_is_an_argument(case: Case) -> None:
    before, _, model = mimgraph.loads(spec_of(case)).source().partition("class Model")
    assert before[before.index("class ") :].strip() == dedent(case.classes).strip()
    for name, call in zip("pq", case.made, strict=True):
        assert f"self.{name} = {call}\n" in model


def test_a_default_may_read_the_param_of_the_spec_that_it_hides() -> None:
    source = mimgraph.loads("""
params: {width: 8}
inputs: {x: [4]}
blocks: {tower: {params: {width: $(2 * width)}, seq: [{Linear: $width}]}}
nodes:
  p: {block: tower, from: x}
  q: {block: tower, from: x, width: 5}
  both: {merge: concat, from: [p, q]}
outputs: both
""").source()
    assert "def __init__(self, width: int = 16) -> None:" in source
    assert "self.p = Tower()\n" in source


COMMENTED = """
blocks:
  tower:
    inputs: [x]
    nodes: {y: {layer: ReLU, from: x}, m: {layer: Mean, from: y, dim: 1}, z: {layer: Tanh, from: m}}
    outputs: z
  outer: {inputs: [x], nodes: {i: {block: tower, from: x}, j: {share: i, from: x}}, outputs: j}
inputs: {a: [T, 4], b: [S, 4]}
nodes: {p: USE, q: {share: p, from: b}, r: {merge: add, from: [p, q]}}
outputs: r
"""


@pytest.mark.parametrize("use", ["{block: tower, from: a}", "{block: outer, from: a}"])
def test_a_comment_on_which_a_share_disagrees_is_left_out(use: str) -> None:
    source = mimgraph.loads(COMMENTED.replace("USE", use)).source()
    tower, _, _ = source.partition("class Model")
    assert "m = self.y(x)\n        m = m.mean(1)  # (N, 4)\n" in tower


def test_a_comment_on_which_shares_agree_stays() -> None:
    text = COMMENTED.replace("USE", "{block: tower, from: a}").replace("b: [S, 4]", "b: [T, 4]")
    assert "m = self.y(x)  # (N, T, 4)\n" in mimgraph.loads(text).source()


def spec_of(case: Case) -> str:
    body = dedent(case.block).strip()
    lines = [
        f"params: {case.params}",
        f"inputs: {case.inputs}",
        "blocks:",
        f"  {case.more}",
        f"  tower: {body}" if body.startswith("{") else f"  tower:\n{indent(body, '    ')}",
        "nodes:",
        *(f"  {use}" for use in case.uses),
        "outputs: [p, q]",
    ]
    return "\n".join(lines)
