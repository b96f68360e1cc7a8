"""The tensors of two models are matched by their flows: `a.weight>b.weight` means that the first tensor
feeds the second, and `a.weight>b.weight@gelu` that it does so through a GELU."""

from __future__ import annotations

import re

from mimgraph.runtime.weight_transfer.align import Flow, align
from tests.helpers.cases import each


def flow(text: str) -> Flow:
    """Return the flow of `a.w:3x4 b.w:4 / x>a.w a.w>b.w`: tensors in order of use with sizes, then pairs."""
    tensors, _, pairs = text.partition("/")
    named = (word.split(":") for word in tensors.split())
    shapes = {key: tuple(int(size) for size in sizes.split("x")) for key, sizes in named}
    feeds = (re.split("[>@]", pair) for pair in pairs.split())
    return Flow(shapes, frozenset((source, target, "".join(way)) for source, target, *way in feeds))


CASES = {
    "by shape, then in order": (
        "a.w:2 b.w:3 c.w:2",
        "p.w:2 q.w:2 r.w:3",
        "a.w=p.w b.w=r.w c.w=q.w",
    ),
    "by name before order": ("a.w:2 a.b:2", "p.b:2 p.w:2", "a.w=p.w a.b=p.b"),
    "by what feeds it": (
        "a.w:2 b.w:2 / x>a.w y>b.w",
        "p.w:2 q.w:2 / y>p.w x>q.w",
        "a.w=q.w b.w=p.w",
    ),
    "by what it feeds": (
        "a.w:2 b.w:2 c.w:3 / a.w>c.w",
        "p.w:2 q.w:2 r.w:3 / q.w>r.w",
        "a.w=q.w b.w=p.w c.w=r.w",
    ),
    "from far": (
        "a.w:2 b.w:2 c.w:3 d.w:3 e.w:4 / a.w>c.w b.w>d.w d.w>e.w",
        "p.w:2 q.w:2 r.w:3 s.w:3 t.w:4 / q.w>r.w p.w>s.w s.w>t.w",
        "a.w=q.w b.w=p.w c.w=r.w d.w=s.w e.w=t.w",
    ),
    "one difference does not spread": (
        "a.w:2 b.w:2 c.w:5 / x>a.w y>b.w b.w>c.w",
        "p.w:2 q.w:2 r.w:6 / y>p.w x>q.w p.w>r.w",
        "a.w=q.w b.w=p.w",
    ),
    "by the way": (
        "q.w:2 k.w:2 o.w:3 / x>q.w x>k.w q.w>o.w@matmul0 k.w>o.w@matmul1",
        "a.w:2 b.w:2 c.w:3 / x>a.w x>b.w a.w>c.w@matmul1 b.w>c.w@matmul0",
        "q.w=b.w k.w=a.w o.w=c.w",
    ),
    "by the way only after who feeds whom": (
        "a.w:2 b.w:2 c.w:3 / x>a.w y>b.w a.w>c.w@gelu b.w>c.w",
        "p.w:2 q.w:2 r.w:3 / x>q.w y>p.w q.w>r.w@tanh p.w>r.w@tanh",
        "a.w=q.w b.w=p.w c.w=r.w",
    ),
    "a part of a joined bias may be missing": (
        "m#0.weight:2x2 m#0.bias:2 m#1.weight:2x2 m#1.bias:2 / m#0.weight>m#1.weight",
        "q.weight:2x2 q.bias:2 k.weight:2x2 / q.weight>k.weight",
        "m#0.weight=q.weight m#0.bias=q.bias m#1.weight=k.weight",
    ),
    "the exact shape first": ("a.w:1x2 b.w:2", "p.w:2 q.w:1x2", "a.w=q.w b.w=p.w"),
    "axes of size 1 last": ("a.w:1x2", "p.w:2x1x1", "a.w=p.w"),
    "another name last": ("a.w:2 b.cls:2", "p.token:2 q.w:2", "a.w=q.w b.cls=p.token"),
    "no weight for a bias": ("a.w:2 b.w:2 c.b:3", "p.w:2 q.b:2 r.b:3", "a.w=p.w c.b=r.b"),
    "nothing turned round": ("a.w:2x3", "p.w:3x2", ""),
    "loops": ("a.w:2 / x>a.w a.w>a.w", "p.w:2 / x>p.w p.w>p.w", "a.w=p.w"),
    "nothing": ("", "p.w:2", ""),
    "modules stay together": (
        "a.w:9 a.b:3 b.w:3 b.b:3 c.w:9 c.b:3",
        "p.w:9 p.b:3 r.w:9 r.b:3 q.w:3 q.b:3",
        "a.w=p.w a.b=p.b b.w=q.w b.b=q.b c.w=r.w c.b=r.b",
    ),
    "also if one has more": (
        "a.w:9 a.b:3 b.w:3 b.b:3",
        "p.w:9 p.b:3 r.w:9 r.b:3 q.w:3 q.b:3",
        "a.w=p.w a.b=p.b b.w=q.w b.b=q.b",
    ),
    "by other names": (
        "a.w:9 a.b:3 b.w:3 b.b:3",
        "p.w:9 p.b:3 q.gamma:3 q.beta:3",
        "a.w=p.w a.b=p.b b.w=q.gamma b.b=q.beta",
    ),
    "no module is split over parts of ours": (
        "a.w:9 a.b:3 b.w:3 b.b:3",
        "p.w:9 q.w:3 q.b:3 q.mean:3",
        "",
    ),
    "nor in exchange": ("a.w:9 b.w:3 b.b:3", "p.w:9 p.b:3 q.w:3", ""),
    "part of a module": ("a.w:9 a.b:3", "p.w:9", "a.w=p.w"),
    "one holds the tensors of many": (
        "a.w:9 a.b:3 b.w:9 b.b:3",
        "p.w1:9 p.b1:3 p.w2:9 p.b2:3",
        "a.w=p.w1 a.b=p.b1 b.w=p.w2 b.b=p.b2",
    ),
    "many hold the tensors of one": ("a.w0:9 a.w1:9", "p.w:9 q.w:9", "a.w0=p.w a.w1=q.w"),
}


@each("ours, theirs, expected", CASES)
def test_align(ours: str, theirs: str, expected: str) -> None:
    found = align(flow(ours), flow(theirs))
    assert " ".join(f"{key}={other}" for key, other in found.items()) == expected
