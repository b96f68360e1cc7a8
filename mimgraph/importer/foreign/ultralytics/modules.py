"""Turn each of Ultralytics' modules, with the arguments of its constructor, into a use of a block.

To add one, write its block into `blocks.yaml` and a function here; its parameters are those of the
module's constructor, with their defaults. `takes` says which arguments come before those of a row: "scaled"
modules take the channels of their source, and their own channels are scaled by the width of the model,
those of "source" take only the channels of their source, and those of "row" nothing. `repeats_at` is
the position of the number of repeats in a module that takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import gcd
from typing import Any, Literal, NamedTuple

from mimgraph.importer.foreign.ultralytics.arguments import Numbers, Signed
from mimgraph.importer.foreign.ultralytics.library import plain
from mimgraph.importer.foreign.ultralytics.made import Made, block

# the defaults of arguments that have classes of their own
THREE_BY_THREE = Numbers((3, 3))
POOLS = Numbers((5, 9, 13))
ONE_AREA = Signed(1)


class Module(NamedTuple):
    """A module: its function, and which arguments come first."""

    make: Callable[..., Made]
    takes: Literal["scaled", "source", "row"]
    repeats_at: int | None


MODULES: dict[str, Module] = {}


def module(
    name: str,
    takes: Literal["scaled", "source", "row"] = "scaled",
    *,
    repeats_at: int | None = None,
) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Register the function that makes a module of this name."""

    def add(make: Callable[..., Made]) -> Callable[..., Made]:
        MODULES[name] = Module(make, takes, repeats_at)
        return make

    return add


@module("Conv")
def conv(
    c1: int,
    c2: int,
    k: int | Numbers = 1,
    s: int = 1,
    p: int | Numbers | None = None,
    g: int = 1,
    d: int = 1,
    act: bool = True,
) -> Made:
    name = "Conv" if act else "ConvLinear"
    if p is None and isinstance(k, Numbers):
        p = Numbers((d * (size - 1) + 1) // 2 for size in k)
    padding = {} if p is None else {"padding": list(p) if isinstance(p, Numbers) else p}
    size = list(k) if isinstance(k, Numbers) else k
    return block(name, c2, s, kernel_size=size, stride=s, groups=g, dilation=d, **padding)


@module("DWConv")
def dw_conv(
    c1: int, c2: int, k: int | Numbers = 1, s: int = 1, d: int = 1, act: bool = True
) -> Made:
    return conv(c1, c2, k, s, None, gcd(c1, c2), d, act)


@module("ConvTranspose")
def conv_transpose(
    c1: int, c2: int, k: int = 2, s: int = 2, p: int = 0, bn: bool = True, act: bool = True
) -> Made:
    if not (bn and act):
        raise ValueError("ConvTranspose is read with bn and act only")
    return block("ConvTranspose", c2, Fraction(1, s), kernel_size=k, stride=s, padding=p)


@module("nn.ConvTranspose2d")
def nn_conv_transpose(
    c1: int, c2: int, k: int | Numbers = 1, s: int = 1, p: int = 0, op: int = 0, g: int = 1
) -> Made:
    options = {"stride": s, "padding": p, "output_padding": op, "groups": g}
    given = {key: value for key, value in options.items() if value != (key in ("stride", "groups"))}
    size = list(k) if isinstance(k, Numbers) else k
    node = {"layer": "ConvTranspose2d", "out_channels": c2, "kernel_size": size, **given}
    return Made(node, c2, Fraction(1, s))


@module("DWConvTranspose2d")
def dw_conv_transpose(c1: int, c2: int, k: int = 1, s: int = 1, p1: int = 0, p2: int = 0) -> Made:
    return nn_conv_transpose(c1, c2, k, s, p1, p2, gcd(c1, c2))


@module("Focus")
def focus(c1: int, c2: int, k: int = 1, s: int = 1, p: int | None = None, g: int = 1) -> Made:
    if p is not None:
        raise ValueError("Focus is read with p of None only")
    return block("Focus", c2, 2 * s, kernel_size=k, stride=s, groups=g)


@module("GhostConv")
def ghost_conv(c1: int, c2: int, k: int = 1, s: int = 1, g: int = 1, act: bool = True) -> Made:
    name = "GhostConv" if act else "GhostConvLinear"
    return block(name, c2, s, kernel_size=k, stride=s, groups=g)


@module("GhostBottleneck")
def ghost_bottleneck(c1: int, c2: int, k: int = 3, s: int = 1) -> Made:
    if s == 2:
        return block("GhostBottleneckDown", c2, 2, kernel_size=k)
    return block("GhostBottleneck", c2)


@module("RepConv", "row")
def rep_conv(c1: int, c2: int, k: int = 3, s: int = 1, p: int = 1, g: int = 1) -> Made:
    if (k, p) != (3, 1):
        raise ValueError("RepConv has k of 3 and p of 1")
    return block("RepConv", c2, s, stride=s, groups=g)


@module("Bottleneck")
def bottleneck(
    c1: int,
    c2: int,
    shortcut: bool = True,
    g: int = 1,
    k: Numbers = THREE_BY_THREE,
    e: float = 0.5,
) -> Made:
    if len(k) != 2 or k[1] != 3:
        raise ValueError("the kernels of Bottleneck are two, of which the second is 3")
    name = plain("Bottleneck", shortcut and c1 == c2)
    return block(name, c2, hidden=int(c2 * e), groups=g, kernel_size=k[0])


@module("BottleneckCSP", repeats_at=2)
def bottleneck_csp(
    c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5
) -> Made:
    return block(plain("BottleneckCSP", shortcut), c2, n=n, groups=g, hidden=int(c2 * e))


@module("C1", repeats_at=2)
def c1(c1: int, c2: int, n: int = 1) -> Made:
    return block("C1", c2, n=n)


@module("C2", repeats_at=2)
def c2(c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> Made:
    return block(plain("C2", shortcut), c2, n=n, groups=g, hidden=int(c2 * e))


@module("C2f", repeats_at=2)
def c2f(c1: int, c2: int, n: int = 1, shortcut: bool = False, g: int = 1, e: float = 0.5) -> Made:
    return block(plain("C2f", shortcut), c2, n=n, groups=g, hidden=int(c2 * e))


@module("C3", repeats_at=2)
def c3(c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> Made:
    return block(plain("C3", shortcut), c2, n=n, groups=g, hidden=int(c2 * e))


@module("C3x", repeats_at=2)
def c3x(c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5) -> Made:
    return block(plain("C3x", shortcut), c2, n=n, groups=g, hidden=int(c2 * e))


@module("C3Ghost", repeats_at=2)
def c3_ghost(
    c1: int, c2: int, n: int = 1, shortcut: bool = True, g: int = 1, e: float = 0.5
) -> Made:
    return block("C3Ghost", c2, n=n, hidden=int(c2 * e))  # its inner blocks ignore shortcut and g


@module("C3k2", repeats_at=2)
def c3k2(
    c1: int,
    c2: int,
    n: int = 1,
    c3k: bool = False,
    e: float = 0.5,
    attn: bool = False,
    g: int = 1,
    shortcut: bool = True,
) -> Made:
    hidden = int(c2 * e)
    if attn:
        name, more = "C3k2WithAttention", {"num_heads": max(hidden // 64, 1)}
    else:
        name, more = "C3k2WithC3k" if c3k else "C3k2", {}
    return block(plain(name, shortcut), c2, n=n, groups=g, hidden=hidden, **more)


@module("RepC3", repeats_at=2)
def rep_c3(c1: int, c2: int, n: int = 3, e: float = 1.0) -> Made:
    hidden = int(c2 * e)
    if hidden == c2:
        return block("RepC3", c2, n=n)
    return block("RepC3Hidden", c2, n=n, hidden=hidden)


@module("C2fCIB", repeats_at=2)
def c2f_cib(
    c1: int,
    c2: int,
    n: int = 1,
    shortcut: bool = False,
    lk: bool = False,
    g: int = 1,
    e: float = 0.5,
) -> Made:
    name = plain("C2fCIBLarge" if lk else "C2fCIB", shortcut)
    return block(name, c2, n=n, hidden=int(c2 * e))


@module("C2fPSA", repeats_at=2)
def c2f_psa(c1: int, c2: int, n: int = 1, e: float = 0.5) -> Made:
    return _with_heads("C2fPSA", c1, c2, e, n=n)


@module("C2PSA", repeats_at=2)
def c2_psa(c1: int, c2: int, n: int = 1, e: float = 0.5) -> Made:
    return _with_heads("C2PSA", c1, c2, e, n=n)


@module("PSA")
def psa(c1: int, c2: int, e: float = 0.5) -> Made:
    return _with_heads("PSA", c1, c2, e)


def _with_heads(name: str, c1: int, c2: int, e: float, **params: Any) -> Made:
    """Return a block of attention, with a head for each 64 channels."""
    if c1 != c2:
        raise ValueError(f"{name} keeps the number of channels, so {c1} in cannot give {c2}")
    hidden = int(c1 * e)
    return block(name, c2, hidden=hidden, num_heads=max(hidden // 64, 1), **params)


@module("A2C2f", repeats_at=2)
def a2c2f(
    c1: int,
    c2: int,
    n: int = 1,
    a2: bool = True,
    area: Signed = ONE_AREA,
    residual: bool = False,
    mlp_ratio: float = 2.0,
    e: float = 0.5,
    g: int = 1,
    shortcut: bool = True,
) -> Made:
    hidden = int(c2 * e)
    if not hidden or hidden % 32:
        raise ValueError(f"the hidden channels of A2C2f must be a multiple of 32, not {hidden}")
    if not a2:
        return block(plain("A2C2fOfC3k", shortcut), c2, n=n, groups=g, hidden=hidden)
    if area < 1:
        raise ValueError("the area of A2C2f must be 1 or more")
    name = "A2C2fResidual" if residual else "A2C2f"
    heads, mlp = hidden // 32, int(hidden * mlp_ratio)
    made = block(name, c2, n=n, area=area, hidden=hidden, num_heads=heads, mlp_hidden=mlp)
    return made._replace(areas=area)


@module("SPP")
def spp(c1: int, c2: int, k: Numbers = POOLS) -> Made:
    if len(k) != 3:
        raise ValueError("SPP is read with three kernels only")
    return block("SPP", c2, kernel_sizes=list(k))


@module("SPPF")
def sppf(c1: int, c2: int, k: int = 5, n: int | None = None, shortcut: bool = False) -> Made:
    if n is None:  # as older files have it, cv1 has an activation then
        return block("SPPF", c2, kernel_size=k)
    name = "SPPFLinearShortcut" if shortcut and c1 == c2 else "SPPFLinear"
    return block(name, c2, kernel_size=k, n=n)


@module("SPPELAN")
def sppelan(c1: int, c2: int, c3: int, k: int = 5) -> Made:
    return block("SPPELAN", c2, hidden=c3, kernel_size=k)


@module("SCDown")
def sc_down(c1: int, c2: int, k: int, s: int) -> Made:
    return block("SCDown", c2, s, kernel_size=k, stride=s)


@module("AConv")
def a_conv(c1: int, c2: int) -> Made:
    return block("AConv", c2, 2)


@module("ADown")
def a_down(c1: int, c2: int) -> Made:
    return block("ADown", c2, 2)


@module("RepNCSPELAN4")
def rep_ncspelan4(c1: int, c2: int, c3: int, c4: int, n: int = 1) -> Made:
    return block("RepNCSPELAN4", c2, hidden=c3, inner=c4, n=n)


@module("ELAN1")
def elan1(c1: int, c2: int, c3: int, c4: int) -> Made:
    return block("ELAN1", c2, hidden=c3, inner=c4)


@module("ResNetLayer", "row")
def resnet_layer(
    c1: int, c2: int, s: int = 1, is_first: bool = False, n: int = 1, e: int = 4
) -> Made:
    if is_first:
        return block("ResNetStem", c2, 4)
    wide = e * c2
    name = "ResNetLayerKept" if s == 1 and c1 == wide else "ResNetLayer"
    made = block(name, wide, s, hidden=c2, stride=s, n=n - 1)
    others = {f"others.{index}": f"layer.{index + 1}" for index in range(n - 1)}
    return made._replace(keys={"first": "layer.0", **others})


@module("HGStem", "source")
def hg_stem(c1: int, cm: int, c2: int) -> Made:
    return block("HGStem", c2, 4, hidden=cm)


@module("HGBlock", "source", repeats_at=4)
def hg_block(
    c1: int,
    cm: int,
    c2: int,
    k: int = 3,
    n: int = 6,
    lightconv: bool = False,
    shortcut: bool = False,
) -> Made:
    name = "HGBlockLight" if lightconv else "HGBlock"
    if shortcut and c1 == c2:
        name += "Shortcut"
    return block(name, c2, hidden=cm, kernel_size=k, n=n)


@module("Classify")
def classify(c1: int, c2: int, k: int = 1, s: int = 1, p: int | None = None, g: int = 1) -> Made:
    if p is not None:
        raise ValueError("Classify is read with p of None only")
    made = block("Classify", c2, s, classes=c2, kernel_size=k, stride=s, groups=g)
    return made._replace(outputs={"logits": ""})
