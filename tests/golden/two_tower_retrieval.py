import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Normalize(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1)


class Tower(nn.Sequential):
    def __init__(self, in_features: int) -> None:
        super().__init__(
            nn.Linear(in_features, 256),
            nn.ReLU(),
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            Normalize(),
        )


class TwoTowerRetrieval(nn.Module):
    """A user and an item as two vectors, whose product says how well they fit (Yi et al. 2019,
    RecSys, doi 10.1145/3298689.3346996, as for YouTube). The scores are those of every user for
    every item of the batch: a user's own is on the diagonal.

    Inputs: item (N,) int64, channel (N,) int64, seed (N,) int64, seed_channel (N,) int64,
    watched (N, T) int64, length (N,) int64, country (N,) int64, context (N, 8). Outputs:
    scores (N, N), user (N, 64), item (N, 64).

    seed: the item that the user watches

    watched: the items before

    length: how many items before

    context: age of the account, hour of the day, ...
    """

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {
                "item": nn.Embedding(20000, 64),
                "channel": nn.Embedding(5000, 64),
                "country": nn.Embedding(250, 64),
            }
        )
        self.tower = nn.ModuleDict({"user": Tower(264), "item": Tower(128)})

    def forward(
        self,
        *,
        item: Tensor,
        channel: Tensor,
        seed: Tensor,
        seed_channel: Tensor,
        watched: Tensor,
        length: Tensor,
        country: Tensor,
        context: Tensor,
    ) -> dict[str, Tensor]:
        watched_emb = self.emb["item"](watched)  # (N, T, 64)
        real = torch.arange(watched.shape[1], device=length.device) < length[:, None]  # (N, T)
        history = (
            watched_emb.masked_fill(~real[:, :, None], 0).sum(1) / real.sum(1).clamp(min=1)[:, None]
        )  # (N, 64)
        del watched_emb, real
        emb_item = self.emb["item"](item)  # (N, 64)
        emb_channel = self.emb["channel"](channel)  # (N, 64)
        emb_country = self.emb["country"](country)  # (N, 64)
        seed_emb_item = self.emb["item"](seed)  # (N, 64)
        seed_emb_channel = self.emb["channel"](seed_channel)  # (N, 64)
        tower_user = torch.cat((seed_emb_item, seed_emb_channel, history, emb_country, context), 1)
        del seed_emb_item, seed_emb_channel, history, emb_country
        tower_item = torch.cat((emb_item, emb_channel), 1)  # (N, 128)
        del emb_item, emb_channel
        tower_user = self.tower["user"](tower_user)  # (N, 64)
        tower_item = self.tower["item"](tower_item)  # (N, 64)
        scores = tower_user @ tower_item.T  # (N, N)
        scores = scores / 0.05  # (N, N)
        return {"scores": scores, "user": tower_user, "item": tower_item}
