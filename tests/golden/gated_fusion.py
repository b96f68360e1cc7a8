import torch
from torch import Tensor, nn


class Max(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(1)


class GatedUnit(nn.Module):
    """Gated multimodal unit (Arevalo et al. 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden0 = nn.Linear(4096, 512, bias=False)
        self.hidden1 = nn.Linear(300, 512, bias=False)
        self.gate = nn.Linear(4396, 512, bias=False)

    def forward(self, x0: Tensor, x1: Tensor) -> Tensor:
        hidden0 = torch.tanh(self.hidden0(x0))  # (N, 512)
        hidden1 = torch.tanh(self.hidden1(x1))  # (N, 512)
        gate = torch.cat((x0, x1), 1)  # (N, 4396)
        gate = torch.sigmoid(self.gate(gate))  # (N, 512)
        return gate * hidden0 + (1 - gate) * hidden1


class Maxout(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Linear(512, 1024),
            nn.Unflatten(dim=1, unflattened_size=(2, 512)),
            Max(),
        )


class GatedFusion(nn.Module):
    """Genres of a film from its poster and its plot; a gate tells, feature by feature, which of the
    two to trust (the gated multimodal unit of Arevalo et al. 2017, arXiv 1702.01992, on MM-IMDb).

    Inputs: poster (N, 4096), plot (N, 300). Output: logits (N, 23).

    poster: VGG-16, its last hidden layer

    plot: the mean of the words' word2vec vectors
    """

    def __init__(self) -> None:
        super().__init__()
        self.poster_norm = nn.BatchNorm1d(4096)
        self.plot_norm = nn.BatchNorm1d(300)
        self.fused = GatedUnit()
        self.logits = nn.Sequential(
            nn.BatchNorm1d(512),
            Maxout(),
            nn.BatchNorm1d(512),
            nn.Dropout(),
            Maxout(),
            nn.Linear(512, 23),
        )

    def forward(self, *, poster: Tensor, plot: Tensor) -> Tensor:
        poster_norm = self.poster_norm(poster)  # (N, 4096)
        plot_norm = self.plot_norm(plot)  # (N, 300)
        x = self.fused(poster_norm, plot_norm)  # (N, 512)
        del poster_norm, plot_norm
        return self.logits(x)
