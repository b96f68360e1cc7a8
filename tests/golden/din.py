import torch
from torch import Tensor, nn


class Squeeze(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.squeeze(-1)


class Dice(nn.Module):
    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(num_features))
        self.gate = nn.BatchNorm1d(num_features, eps=1e-09, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return gate * x + (1 - gate) * self.alpha * x


class DIN(nn.Module):
    """Will an item be clicked: of all that a user bought, what bears on this item counts (deep
    interest network, Zhou et al. 2018, arXiv 1706.06978, as for Amazon's Electronics).

    Inputs: item (N,) int64, category (N,) int64, items (N, T) int64, categories (N, T) int64,
    length (N,) int64. Output: click (N, 1).

    items: what the user bought

    length: how much the user bought
    """

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {"item": nn.Embedding(63001, 64), "category": nn.Embedding(801, 64)}
        )
        self.weight = nn.Sequential(
            nn.Linear(512, 80),
            nn.Sigmoid(),
            nn.Linear(80, 40),
            nn.Sigmoid(),
            nn.Linear(40, 1),
            Squeeze(),
        )
        self.click = nn.Sequential(
            nn.Linear(256, 80),
            Dice(80),
            nn.Linear(80, 40),
            Dice(40),
            nn.Linear(40, 1),
            nn.Sigmoid(),
        )

    def forward(
        self,
        *,
        item: Tensor,
        category: Tensor,
        items: Tensor,
        categories: Tensor,
        length: Tensor,
    ) -> Tensor:
        target = torch.cat((self.emb["item"](item), self.emb["category"](category)), 1)  # (N, 128)
        history = torch.cat((self.emb["item"](items), self.emb["category"](categories)), -1)
        query = target.unsqueeze(1)  # (N, 1, 128)
        difference = query - history  # (N, T, 128)
        product = query * history  # (N, T, 128)
        weight = torch.cat(
            (query.expand(-1, history.shape[1], -1), history, difference, product),
            -1,
        )  # (N, T, 512)
        del query, difference, product
        weight = self.weight(weight)  # (N, T)
        padding = torch.arange(items.shape[1], device=length.device) < length[:, None]  # (N, T)
        padding = ~padding  # (N, T)
        weight_of_real = weight.masked_fill(padding, 0)  # (N, T)
        del weight, padding
        interest = torch.einsum("nt,ntd->nd", weight_of_real, history)  # (N, 128)
        del weight_of_real, history
        x = torch.cat((interest, target), 1)  # (N, 256)
        del interest, target
        return self.click(x)
