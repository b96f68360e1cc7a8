"""Lists the cases of the conformance test for layers that are functions of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tests.ops.layers.oracle import Case, tensor, unbatched

VECTOR, SEQUENCE, SIGNAL, IMAGE = tensor(6), tensor(5, 6), tensor(4, 9), tensor(4, 9, 8)
SAMPLES, MOVED = tensor("N"), unbatched(5, "N", 6)  # the batch again, or elsewhere
NUMBERS = tensor(5, dtype="int64")
SPECTRUM = tensor(4, 9, 8, dtype="complex64")
aten = torch.ops.aten

# called with the options by name, so these are torch's own names
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Permute": torch.permute,
    "Transpose": torch.transpose,
    "Unsqueeze": torch.unsqueeze,
    "Squeeze": torch.squeeze,
    "Repeat": torch.Tensor.repeat,
    "Roll": torch.roll,
    "Flip": lambda x, dims: torch.flip(x, dims=dims if isinstance(dims, tuple) else (dims,)),
    "Select": torch.select,
    "Slice": aten.slice.Tensor,
    "Split": torch.split,
    "Chunk": torch.chunk,
    "Unbind": torch.unbind,
    "Mean": torch.mean,
    "Sum": torch.sum,
    "Prod": torch.prod,
    "Max": torch.amax,
    "Min": torch.amin,
    "Std": torch.std,
    "Var": torch.var,
    "Norm": torch.linalg.vector_norm,
    "LogSumExp": torch.logsumexp,
    "ArgMax": torch.argmax,
    "ArgMin": torch.argmin,
    "TopK": torch.topk,
    "Sort": torch.sort,
    "CumSum": torch.cumsum,
    "CumProd": torch.cumprod,
    "Cast": lambda x, dtype: x.to(dtype=getattr(torch, dtype)),
    "Detach": torch.detach,
    "Clamp": torch.clamp,
    "LogicalNot": torch.logical_not,
    "OneHot": F.one_hot,
    "Normalize": F.normalize,
    "Pad": F.pad,
    "Interpolate": F.interpolate,
    **{
        name: getattr(torch.fft, name.lower())
        for name in ("FFT", "IFFT", "RFFT", "IRFFT", "FFT2", "IFFT2", "RFFT2", "IRFFT2")
    },
    "ViewAsComplex": torch.view_as_complex,
    "ViewAsReal": torch.view_as_real,
    "Real": torch.real,
    "Imag": torch.imag,
    # these leave the batch out
    "Reshape": lambda x, shape: torch.reshape(x, shape=(x.shape[0], *shape)),
    "Expand": lambda x, size: x.expand(size=(-1, *size)),
    "CausalMask": lambda x: nn.Transformer.generate_square_subsequent_mask(x.shape[1]).isinf(),
}

CASES = [
    Case("Reshape", IMAGE, {"shape": (8, 36)}),
    Case("Reshape", IMAGE, {"shape": (-1, 4)}),
    Case("Reshape", tensor(1, 1), {"shape": ()}),
    Case("Permute", unbatched(), {"dims": ()}),
    Case("Permute", IMAGE, {"dims": (0, 2, 3, 1)}),
    Case("Permute", IMAGE, {"dims": (0, -1, 1, 2)}),
    Case("Permute", unbatched(3, 4), {"dims": (1, 0)}),
    Case("Permute", IMAGE, {"dims": (2, 0, 1, 3)}),
    Case("Permute", MOVED, {"dims": (1, 0, 2)}),
    Case("Transpose", IMAGE, {"dim0": 1, "dim1": -1}),
    Case("Transpose", SEQUENCE, {"dim0": 0, "dim1": 1}),
    Case("Transpose", SEQUENCE, {"dim0": 1, "dim1": -3}),
    Case("Transpose", MOVED, {"dim0": 0, "dim1": 1}),
    Case("Transpose", SAMPLES, {"dim0": 0, "dim1": 1}),
    Case("Unsqueeze", VECTOR, {"dim": 1}),
    Case("Unsqueeze", VECTOR, {"dim": -1}),
    Case("Unsqueeze", unbatched(3), {"dim": 0}),
    Case("Squeeze", tensor(1, 4), {"dim": 1}),
    Case("Squeeze", tensor(4, 1), {"dim": -1}),
    Case("Squeeze", tensor(4, 1), {"dim": 1}),
    Case("Squeeze", tensor(1, 4, 1), {"dim": (1, 3)}),
    Case("Expand", tensor(1, 6), {"size": (5, -1)}),
    Case("Expand", tensor(1, 6), {"size": (5, 6)}),
    Case("Repeat", SEQUENCE, {"repeats": (1, 2, 3)}),
    Case("Repeat", unbatched(4), {"repeats": (3, 2)}),
    Case("Repeat", unbatched(), {"repeats": ()}),
    Case("Roll", IMAGE, {"shifts": 2, "dims": -1}),
    Case("Roll", IMAGE, {"shifts": (2, -1), "dims": (1, 3)}),
    Case("Flip", IMAGE, {"dims": 1}),
    Case("Flip", IMAGE, {"dims": (1, -1)}),
    Case("Select", IMAGE, {"dim": 1, "index": -4}),
    Case("Select", IMAGE, {"dim": -1, "index": 7}),
    Case("Select", unbatched(3, 4), {"dim": 0, "index": 1}),
    Case("Select", MOVED, {"dim": 0, "index": 1}),
    Case("Squeeze", unbatched(1, "N", 6), {"dim": 0}),
    Case("Flip", MOVED, {"dims": 0}),
    Case("Slice", MOVED, {"dim": 0, "start": 1}),
    Case("Unbind", MOVED, {"dim": 0}),
    Case("Slice", IMAGE, {"dim": 1, "start": 1, "end": 3}),
    Case("Slice", IMAGE, {"dim": 2, "end": -2}),
    Case("Slice", IMAGE, {"dim": -1, "start": -3, "end": 8, "step": 2}),
    Case("Slice", IMAGE, {"dim": -1, "step": 3}),
    Case("Slice", unbatched(6), {"dim": 0, "start": 2}),
    Case("Split", VECTOR, {"split_size_or_sections": 4, "dim": 1}),
    Case("Split", VECTOR, {"split_size_or_sections": 9, "dim": 1}),
    Case("Split", IMAGE, {"split_size_or_sections": (1, 3), "dim": 1}),
    Case("Chunk", VECTOR, {"chunks": 3, "dim": 1}),
    Case("Chunk", tensor(7), {"chunks": 3, "dim": 1}),
    Case("Chunk", tensor(5), {"chunks": 4, "dim": -1}),
    Case("Unbind", SEQUENCE, {"dim": 1}),
    Case("Unbind", SEQUENCE, {"dim": -1}),
    *(
        Case(name, IMAGE, options)
        for name in ("Mean", "Sum", "Max", "Min", "Std", "Var", "Norm", "LogSumExp")
        for options in ({"dim": 1}, {"dim": (2, -1), "keepdim": True})
    ),
    *(
        Case(name, IMAGE, options)
        for name in ("Prod", "ArgMax", "ArgMin")
        for options in ({"dim": 1}, {"dim": -1, "keepdim": True})
    ),
    *(
        Case(name, x, {"dim": 0})
        for name in (
            "Mean",
            "Prod",
            "ArgMax",
            "Norm",
            "LogSumExp",
            "CumSum",
            "CumProd",
            "Normalize",
        )
        for x in (SAMPLES, MOVED, tensor(5, "N"))
    ),
    Case("Sum", SAMPLES, {"dim": (0, 1)}),
    Case("Mean", MOVED, {"dim": 1}),
    Case("Mean", SAMPLES, {"dim": 0, "keepdim": True}),
    Case("TopK", SAMPLES, {"k": 2, "dim": 0}),
    Case("Std", SEQUENCE, {"dim": 1, "correction": 0}),
    Case("Var", SEQUENCE, {"dim": 1, "correction": 2, "keepdim": True}),
    Case("Norm", SEQUENCE, {"dim": -1, "ord": 1.0}),
    Case("Norm", SEQUENCE, {"dim": -1, "ord": float("inf")}),
    Case("Sum", unbatched(3, 4), {"dim": 0}),
    Case("TopK", SEQUENCE, {"k": 2, "dim": 1}),
    Case("TopK", SEQUENCE, {"k": 6, "dim": -1, "largest": False, "sorted": False}),
    Case("Sort", SEQUENCE, {"dim": 1}),
    Case("Sort", SEQUENCE, {"dim": -1, "descending": True}),
    Case("Sort", SEQUENCE, {"dim": -1, "stable": True}),
    Case("Sort", unbatched(4), {"dim": 0}),
    Case("CumSum", SEQUENCE, {"dim": 1}),
    Case("CumProd", SEQUENCE, {"dim": -1}),
    *(Case("Cast", VECTOR, {"dtype": dtype}) for dtype in ("float16", "int64", "bool")),
    Case("Detach", SEQUENCE),
    Case("Clamp", SEQUENCE, {"min": 0}),
    Case("Clamp", SEQUENCE, {"min": 0.25, "max": 0.75}),
    Case("LogicalNot", SEQUENCE),
    Case("CausalMask", NUMBERS),
    Case("CausalMask", IMAGE),
    Case("OneHot", NUMBERS, {"num_classes": 3}),
    Case("Normalize", SEQUENCE, {"dim": -1}),
    Case("Normalize", SEQUENCE, {"dim": 1, "p": 1.0, "eps": 1e-6}),
    Case("Normalize", SEQUENCE, {"dim": (1, 2)}),
    Case("Pad", IMAGE, {"pad": (1, 2)}),
    Case("Pad", IMAGE, {"pad": (1, -2, 0, 3, 1, 1), "value": 0.5}),
    Case("Pad", SIGNAL, {"pad": (3, 1), "mode": "reflect"}),
    Case("Pad", VECTOR, {"pad": (3, 1), "mode": "replicate"}),
    Case("Pad", IMAGE, {"pad": (3, 1, 0, 2), "mode": "circular"}),
    Case("Pad", IMAGE, {"pad": (3, 1, 0, 2, 1, 1), "mode": "reflect"}),
    Case("Interpolate", SIGNAL, {"size": 5}),
    Case("Interpolate", SIGNAL, {"scale_factor": 1.5, "mode": "linear", "align_corners": True}),
    Case("Interpolate", IMAGE, {"size": (4, 5), "mode": "bilinear", "antialias": True}),
    Case("Interpolate", IMAGE, {"scale_factor": (2, 0.3), "recompute_scale_factor": True}),
    *(
        Case(name, source, options)
        for name in ("FFT", "IFFT", "IRFFT")
        for source in (IMAGE, SPECTRUM)
        for options in ({}, {"n": 5, "dim": 1, "norm": "ortho"}, {"n": 12})
    ),
    Case("RFFT", IMAGE, {"dim": 2}),
    Case("RFFT", NUMBERS, {"n": 8}),
    *(
        Case(name, source, options)
        for name in ("FFT2", "IFFT2", "IRFFT2")
        for source in (IMAGE, SPECTRUM)
        for options in ({}, {"s": (5, 12), "norm": "forward"}, {"dim": (3, 1)})
    ),
    Case("RFFT2", IMAGE, {"s": (4, 7)}),
    Case("ViewAsComplex", tensor(4, 2)),
    Case("ViewAsReal", SPECTRUM),
    Case("Real", SPECTRUM),
    Case("Imag", SPECTRUM),
]

OTHER_CASES = [
    Case("DropPath", IMAGE, {"p": 0.1}),
    Case("Reshape", unbatched(4, 6), {"shape": (3, -1)}),
    Case("Reshape", unbatched(1), {"shape": ()}),
    Case("Expand", unbatched(), {"size": ()}),
    Case("Expand", unbatched(4, 1), {"size": (3, 4, 2)}),
    Case("OneHot", tensor(5, dtype="int64", vocab=7), {"num_classes": 7}),
    Case("Rearrange", IMAGE, {"pattern": "n c h w -> n (h w) c"}),
    Case(
        "Reduce", IMAGE, {"pattern": "n c (h p) w -> n h c", "reduction": "max", "sizes": {"p": 3}}
    ),
]

T, TOKENS = tensor("T"), tensor("T", 6)
SYMBOLIC = [
    Case("Reshape", TOKENS, {"shape": (-1, 2, 3)}),
    Case("Reshape", TOKENS, {"shape": (3, -1)}),
    Case("Reshape", TOKENS, {"shape": (-1, 4)}),
    Case("Permute", TOKENS, {"dims": (0, 2, 1)}),
    Case("Transpose", TOKENS, {"dim0": 1, "dim1": 2}),
    Case("Unsqueeze", T, {"dim": 1}),
    Case("Expand", tensor("T", 1), {"size": (-1, 4)}),
    Case("Expand", tensor("T", 1), {"size": (tensor("T").dims[0], 4)}),
    Case("Expand", tensor("T", 1), {"size": (-1, tensor("T").dims[0])}),
    Case("Repeat", TOKENS, {"repeats": (1, 3, 1)}),
    Case("Repeat", TOKENS, {"repeats": (1, 1, tensor("T").dims[0])}),
    Case("Roll", TOKENS, {"shifts": 3, "dims": 1}),
    Case("Flip", TOKENS, {"dims": 1}),
    Case("Select", TOKENS, {"dim": 1, "index": 3}),
    Case("Select", TOKENS, {"dim": 1, "index": -2}),
    *(Case("Chunk", TOKENS, {"chunks": chunks, "dim": dim}) for chunks, dim in ((1, 1), (3, 2))),
    Case("Mean", TOKENS, {"dim": 1}),
    Case("Sum", TOKENS, {"dim": (1, 2)}),
    Case("TopK", TOKENS, {"k": 3, "dim": 1}),
    Case("TopK", tensor(9, "T"), {"k": tensor("T").dims[0], "dim": 1}),
    Case("TopK", TOKENS, {"k": tensor("T").dims[0], "dim": 1, "sorted": False}),
    Case("Sort", TOKENS, {"dim": 1}),
    Case("CumSum", TOKENS, {"dim": 1}),
    Case("CumProd", TOKENS, {"dim": 1}),
    Case("Clamp", TOKENS, {"max": 1}),
    Case("CausalMask", TOKENS),
    Case("OneHot", tensor("T", dtype="int64"), {"num_classes": 3}),
    Case("Normalize", TOKENS, {"dim": 1}),
    Case("DropPath", TOKENS, {"p": 0.1}),
    Case("Pad", tensor(4, "T"), {"pad": (2, -1)}),
    Case("Pad", tensor(4, "T"), {"pad": (1, -4)}),
    Case("Pad", tensor(4, "T"), {"pad": (2, 3), "mode": "reflect"}),
    Case("Pad", tensor(4, "T"), {"pad": (2, 3), "mode": "circular"}),
    Case("Interpolate", tensor(4, "T"), {"scale_factor": 2}),
    Case("Interpolate", tensor(4, "T"), {"scale_factor": 0.5}),
    Case("Interpolate", tensor(4, 6), {"size": (4,)}),
    *(Case(name, TOKENS, {"dim": 1}) for name in ("FFT", "RFFT", "IRFFT")),
    Case("IRFFT", tensor(4, dtype="complex64"), {"n": tensor("T").dims[0]}),
    Case("RFFT2", tensor(4, "T")),
    Case("Rearrange", TOKENS, {"pattern": "n (t k) c -> n t (k c)", "sizes": {"k": 2}}),
    Case("Rearrange", TOKENS, {"pattern": "n t (h c) -> n h t c", "sizes": {"h": 2}}),
    Case("Reduce", TOKENS, {"pattern": "n t c -> n c", "reduction": "max"}),
    Case(
        "Reduce", TOKENS, {"pattern": "n (t k) c -> n t c", "reduction": "sum", "sizes": {"k": 2}}
    ),
]
