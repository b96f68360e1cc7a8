import torch
from torch import Tensor, nn


class WideAndDeep(nn.Module):
    """Will an app be installed: a weight for each pair of apps, which remembers, beside a network
    on embeddings, which generalises (Cheng et al. 2016, arXiv 1606.07792).

    Inputs: numbers (N, 4), country (N,) int64, device (N,) int64, installed (N,) int64, shown (N,)
    int64, pair (N,) int64. Output: install (N, 1).

    numbers: age, number of installs, ..., as quantiles from 0 to 1

    device: class of the device

    installed: an app that the user has

    shown: the app that is shown

    pair: installed x shown, hashed
    """

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Embedding(100000, 1)
        self.emb = nn.ModuleDict(
            {
                "country": nn.Embedding(250, 32),
                "device": nn.Embedding(1000, 32),
                "installed": nn.Embedding(10000, 32),
                "shown": nn.Embedding(10000, 32),
            }
        )
        self.deep = nn.Sequential(
            nn.Linear(132, 1024),
            nn.ReLU(),
            nn.Linear(1024, 512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Linear(256, 1),
        )

    def forward(
        self,
        *,
        numbers: Tensor,
        country: Tensor,
        device: Tensor,
        installed: Tensor,
        shown: Tensor,
        pair: Tensor,
    ) -> Tensor:
        wide = self.wide(pair)  # (N, 1)
        deep = torch.cat(
            (
                self.emb["country"](country),
                self.emb["device"](device),
                self.emb["installed"](installed),
                self.emb["shown"](shown),
                numbers,
            ),
            1,
        )  # (N, 132)
        deep = self.deep(deep)  # (N, 1)
        return torch.sigmoid(wide + deep)
