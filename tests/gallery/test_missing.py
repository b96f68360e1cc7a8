"""A model with a modality that may be missing equals the same model in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import assert_same_model, gallery


def conv(in_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.GroupNorm(8, width)),
        *(nn.ReLU(), nn.MaxPool2d(2)),
    )


class ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.city, self.job = nn.Embedding(100, 16), nn.Embedding(50, 16)
        self.row = nn.Sequential(nn.Linear(42, 128), nn.ReLU(), nn.Linear(128, 128))
        pooled = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 128)
        self.seen = nn.Sequential(conv(3, 32), conv(32, 64), conv(64, 128), *pooled)
        self.unseen = nn.Parameter(torch.empty(128))
        self.logits = nn.Linear(256, 2)

    def forward(
        self,
        numeric: Tensor,
        city: Tensor,
        job: Tensor,
        image: Tensor | None = None,
        has_image: Tensor | None = None,
    ) -> Tensor:
        row = self.row(torch.cat((numeric, self.city(city), self.job(job)), 1))
        seen = self.unseen.repeat(len(numeric), 1)
        if image is not None:
            found = self.seen(image)
            seen = found if has_image is None else torch.where(has_image[:, None], found, seen)
        return self.logits(torch.cat((row, seen), 1).relu())  # type: ignore[no-any-return]


def test_an_image_may_be_missing() -> None:
    graph, by_hand = gallery("image_table_missing"), ByHand()
    inputs = seeded_inputs(graph.typed, 4, 0, {})
    inputs["has_image"] = torch.tensor([True, False, True, False])
    model = assert_same_model(graph, by_hand, **inputs)
    for gone in ({"image"}, {"has_image"}, {"image", "has_image"}):
        kept = {name: x for name, x in inputs.items() if name not in gone}
        torch.testing.assert_close(model(**kept), by_hand(**kept))
