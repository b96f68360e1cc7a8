"""Check the sources of fusions with weights: float32 features or tokens of matching sizes."""

from __future__ import annotations

from mimgraph.ir.axes_help import to_sequence, to_vector
from mimgraph.ir.types import TensorType
from mimgraph.ops.merges.arithmetic.agreement import Operands, disagreement, odd_one_out
from mimgraph.ops.op import OpFault
from mimgraph.ops.rule_helpers import known, same_dims, same_size, weighted, without_axes
from mimgraph.ops.signature import Sources


def widths(sources: Operands, name: str) -> tuple[int, ...]:
    """Return the last sizes of sources (N, *, D), which must be equal on every other axis."""
    for key, x in sources.items():
        weighted(x, name, key)
        if not x.dims or not x.batched:
            raise without_axes(x, f"{name} takes (N, *, D)", key)

    def alike(x: TensorType, y: TensorType) -> bool:
        return same_dims(x.dims[:-1], y.dims[:-1])

    pair = odd_one_out(sources, alike)
    if pair is not None:
        message = f"{name} needs equal sizes on every axis but the last"
        raise disagreement(sources, *pair, message, free=len(sources[pair[0]].dims) - 1)
    return tuple(known(x.dims[-1], "the last size", key) for key, x in sources.items())


def vectors(sources: Operands, name: str) -> tuple[int, ...]:
    """Return the sizes of sources (N, D)."""
    for key, x in sources.items():
        weighted(x, name, key)
        if len(x.dims) != 1 or not x.batched:
            help = to_vector(x, name, f"{{{key}}}")
            raise rank_fault(x, f"{name} takes (N, D)", key, help)
    return tuple(known(x.dims[0], "the last size", key) for key, x in sources.items())


def token_width(sources: Operands, name: str, lone: bool = True) -> int:
    """Return the common width of sources (N, T, D), or, if `lone`, (N, D), which are single tokens."""
    shape = "(N, T, D) or (N, D)" if lone else "(N, T, D)"
    for key, x in sources.items():
        weighted(x, name, key)
        if len(x.dims) not in ((1, 2) if lone else (2,)) or not x.batched:
            help = to_sequence(x, name, f"{{{key}}}")
            raise rank_fault(x, f"{name} takes {shape}", key, help)
    pair = odd_one_out(sources, lambda x, y: same_size(x.dims[-1], y.dims[-1]))
    if pair is not None:
        odd, other = pair
        raise OpFault(
            "shape-mismatch",
            f"{name} needs tokens of the same width",
            source=odd,
            note=f"{sources[odd]}, but {{{other}}} is {sources[other]}",
            help="project it first: Linear",
            mentions=(odd, other),
        )
    key, x = next(iter(sources.items()))
    return known(x.dims[-1], "the last size", key)


def rank_fault(x: TensorType, message: str, key: str, help: str = "") -> OpFault:
    """Return the fault of a source with another number of axes than the message says."""
    return OpFault("rank-mismatch", message, source=key, note=str(x), help=help)


def last(x: TensorType) -> int:
    """Return the last axis as it is written: 1 for (N, D), else -1."""
    return 1 if len(x.dims) == 1 else -1


def named_inputs(sources: Sources) -> tuple[str, ...]:
    """Return the names of the inputs of a block for these sources: `x0`, `x1`, ..., or `x` for one."""
    return numbered(len(sources)) if len(sources) > 1 else ("x",)


def numbered(count: int, stem: str = "x") -> tuple[str, ...]:
    """Return the names `x0`, `x1`, ...."""
    return tuple(f"{stem}{index}" for index in range(count))
