"""Tests of products of matrices, distances and attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from tests.importer.support import check_functions

PRODUCTS = {
    "matmul": lambda x, y: x @ y.transpose(1, 2),
    "bmm": lambda x, y: torch.bmm(x, y.mT),
    "one_row": lambda x, z: x @ z.unsqueeze(-1),
    "more_axes": lambda x, w: x.unsqueeze(1) @ w,
    "all_pairs": lambda z: z @ z.t(),
    "einsum": lambda x, y: torch.einsum("bid,bjd->bij", x, y),
    "einsum_implicit": lambda x, y: torch.einsum("bid,bjd", x, y),
    "einsum_ellipsis": lambda x, y: torch.einsum("...id,...jd->...ij", x, y),
    "einsum_capitals": lambda x, y: torch.einsum("BTC,BSC->BTS", x, y),
    "baddbmm": lambda x, y, s: torch.baddbmm(s, x, y.transpose(1, 2), beta=0.5, alpha=2),
    "cosine": lambda x, y: F.cosine_similarity(x, y, dim=-1),
    "distance": lambda z: F.pairwise_distance(z, z + 1),
    "normalize": lambda x: F.normalize(x, dim=-1),
    "attention": lambda x, y: F.scaled_dot_product_attention(x, y, y),
    "masked": lambda x, y, m: F.scaled_dot_product_attention(
        x[:, None], y[:, None], y[:, None], attn_mask=m[:, None, None, :]
    ),
    "biased": lambda x, y, s: F.scaled_dot_product_attention(x, y, y, s, scale=8**-0.5),
}


def test_products() -> None:
    text = check_functions(
        PRODUCTS,
        x=("T", 8),
        y=("T", 8),
        z=(8,),
        w=(3, 8, 4),
        s=("T", "T"),
        m={"shape": ("T",), "dtype": "bool"},
    )
    assert "{merge: attention, from: {query: x, key: y, value: y}}" in text
