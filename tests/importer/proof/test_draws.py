"""Equal tensors lose the same elements to dropout in a proof."""

from __future__ import annotations

import torch
from torch import nn

from mimgraph.importer.proof.draws import DrawsInOrder


def test_strides_do_not_matter() -> None:
    x = torch.arange(1.0, 61.0).reshape(4, 15)
    dropped = [_drop(one) for one in (x, x.T.contiguous().T)]
    assert torch.equal(*dropped)
    assert 0 < (dropped[0] == 0).sum() < 60


def test_dropout_in_place_changes_its_input() -> None:
    x = torch.ones(4, 15).T
    with DrawsInOrder():
        assert nn.Dropout(0.5, inplace=True)(x) is x
    assert (x == 0).any()


def _drop(x: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(0)
    with DrawsInOrder():
        found: torch.Tensor = nn.Dropout(0.5)(x)
    return found
