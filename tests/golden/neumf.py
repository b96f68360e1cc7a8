import torch
from torch import Tensor, nn


class NeuMF(nn.Module):
    """How well a user and a film fit: a product of vectors beside a network, each on embeddings of
    its own (neural matrix factorization, He et al. 2017, arXiv 1708.05031, for MovieLens-1M).

    Inputs: user (N,) int64, item (N,) int64. Output: likes (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.vec = nn.ModuleDict({"user": nn.Embedding(6040, 8), "item": nn.Embedding(3706, 8)})
        self.emb = nn.ModuleDict({"user": nn.Embedding(6040, 32), "item": nn.Embedding(3706, 32)})
        self.mlp = nn.Sequential(
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 16),
            nn.ReLU(),
            nn.Linear(16, 8),
            nn.ReLU(),
        )
        self.likes = nn.Sequential(nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, *, user: Tensor, item: Tensor) -> Tensor:
        product = self.vec["user"](user) * self.vec["item"](item)  # (N, 8)
        mlp = torch.cat((self.emb["user"](user), self.emb["item"](item)), 1)  # (N, 64)
        mlp = self.mlp(mlp)  # (N, 8)
        x = torch.cat((product, mlp), 1)  # (N, 16)
        del product, mlp
        return self.likes(x)
