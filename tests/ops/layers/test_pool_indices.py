"""A max pool is emitted with `return_indices` only if its port `indices` is used."""

from __future__ import annotations

import torch
from torch.nn import functional as F

import mimgraph as mg

IMAGE = torch.rand(2, 3, 8, 8)
POOL = "pool: {layer: MaxPool2d, from: image, kernel_size: 2}"
UNPOOL = "up: {layer: MaxUnpool2d, from: [pool, pool.indices], kernel_size: 2}"


def graph(outputs: str, *nodes: str) -> mg.Graph:
    lines = ["inputs: {image: [3, 8, 8]}", "nodes:", *(f"  {node}" for node in nodes)]
    return mg.loads("\n".join([*lines, f"outputs: {outputs}"]))


def test_a_pool_without_readers_of_indices_is_plain() -> None:
    made = graph("pool", POOL)
    assert "return_indices" not in made.source()
    assert torch.equal(made.compile()(image=IMAGE), F.max_pool2d(IMAGE, 2))


def test_indices_feed_an_unpool() -> None:
    made = graph("up", POOL, UNPOOL)
    pooled, indices = F.max_pool2d(IMAGE, 2, return_indices=True)
    assert "nn.MaxPool2d(2, return_indices=True)" in made.source()
    assert torch.equal(made.compile()(image=IMAGE), F.max_unpool2d(pooled, indices, 2))


def test_a_share_of_a_pool_with_indices_reads_its_output() -> None:
    made = graph("again", POOL, UNPOOL, "again: {share: pool, from: up}")
    assert torch.equal(made.compile()(image=IMAGE), F.max_pool2d(IMAGE, 2))


def test_a_pool_returns_indices_if_a_share_needs_them() -> None:
    made = graph("{a: pool, b: again.indices}", POOL, "again: {share: pool, from: image}")
    found = made.compile()(image=IMAGE)
    pooled, indices = F.max_pool2d(IMAGE, 2, return_indices=True)
    assert torch.equal(found["a"], pooled) and torch.equal(found["b"], indices)


def test_items_of_a_chain_are_plain_pools_unless_indices_are_taken() -> None:
    made = graph("y", "y: {from: image, seq: [{MaxPool2d: 2}, {MaxPool2d: 2}]}")
    assert "nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2))" in made.source()
    taken = graph("y", "y: {from: image, seq: [{MaxPool2d: {kernel_size: 2, take: indices}}]}")
    indices = F.max_pool2d(IMAGE, 2, return_indices=True)[1]
    assert torch.equal(taken.compile()(image=IMAGE), indices)


def test_indices_are_a_port_in_python() -> None:
    from mimgraph import layers

    pool = layers.MaxPool2d(2)(mg.Input("image", (3, 8, 8)))
    up = layers.MaxUnpool2d(2)(pool, pool["indices"])
    assert mg.Graph(up).compile()(image=IMAGE).shape == IMAGE.shape
