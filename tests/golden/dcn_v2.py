import torch
from torch import Tensor, nn


class Cross(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(429, 429)

    def forward(self, x: Tensor, x0: Tensor) -> Tensor:
        weight = self.weight(x)  # (N, 429)
        return x0 * weight + x


class DCNv2(nn.Module):
    """Products of ever more columns beside a network (Wang et al. 2021, arXiv 2008.13535, in
    parallel, for Criteo's logs of 26 categories, here no more than 10,000 values each, and 13
    counts).

    Inputs: I (N, 13), C1 (N,) int64, C2 (N,) int64, C3 (N,) int64, C4 (N,) int64, C5 (N,) int64,
    C6 (N,) int64, C7 (N,) int64, C8 (N,) int64, C9 (N,) int64, C10 (N,) int64, C11 (N,) int64,
    C12 (N,) int64, C13 (N,) int64, C14 (N,) int64, C15 (N,) int64, C16 (N,) int64, C17 (N,) int64,
    C18 (N,) int64, C19 (N,) int64, C20 (N,) int64, C21 (N,) int64, C22 (N,) int64, C23 (N,) int64,
    C24 (N,) int64, C25 (N,) int64, C26 (N,) int64. Output: click (N, 1).

    I: counts, as log(x + 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {
                "C1": nn.Embedding(1460, 16),
                "C2": nn.Embedding(583, 16),
                "C3": nn.Embedding(10000, 16),
                "C4": nn.Embedding(10000, 16),
                "C5": nn.Embedding(305, 16),
                "C6": nn.Embedding(24, 16),
                "C7": nn.Embedding(10000, 16),
                "C8": nn.Embedding(633, 16),
                "C9": nn.Embedding(3, 16),
                "C10": nn.Embedding(10000, 16),
                "C11": nn.Embedding(5683, 16),
                "C12": nn.Embedding(10000, 16),
                "C13": nn.Embedding(3194, 16),
                "C14": nn.Embedding(27, 16),
                "C15": nn.Embedding(10000, 16),
                "C16": nn.Embedding(10000, 16),
                "C17": nn.Embedding(10, 16),
                "C18": nn.Embedding(5652, 16),
                "C19": nn.Embedding(2173, 16),
                "C20": nn.Embedding(4, 16),
                "C21": nn.Embedding(10000, 16),
                "C22": nn.Embedding(18, 16),
                "C23": nn.Embedding(15, 16),
                "C24": nn.Embedding(10000, 16),
                "C25": nn.Embedding(105, 16),
                "C26": nn.Embedding(10000, 16),
            }
        )
        self.crossed = nn.ModuleList([Cross() for _ in range(2)])
        self.deep = nn.Sequential(nn.Linear(429, 768), nn.ReLU(), nn.Linear(768, 768), nn.ReLU())
        self.click = nn.Sequential(nn.Linear(1197, 1), nn.Sigmoid())

    def forward(
        self,
        *,
        I: Tensor,
        C1: Tensor,
        C2: Tensor,
        C3: Tensor,
        C4: Tensor,
        C5: Tensor,
        C6: Tensor,
        C7: Tensor,
        C8: Tensor,
        C9: Tensor,
        C10: Tensor,
        C11: Tensor,
        C12: Tensor,
        C13: Tensor,
        C14: Tensor,
        C15: Tensor,
        C16: Tensor,
        C17: Tensor,
        C18: Tensor,
        C19: Tensor,
        C20: Tensor,
        C21: Tensor,
        C22: Tensor,
        C23: Tensor,
        C24: Tensor,
        C25: Tensor,
        C26: Tensor,
    ) -> Tensor:
        x0 = torch.cat(
            (
                self.emb["C1"](C1),
                self.emb["C2"](C2),
                self.emb["C3"](C3),
                self.emb["C4"](C4),
                self.emb["C5"](C5),
                self.emb["C6"](C6),
                self.emb["C7"](C7),
                self.emb["C8"](C8),
                self.emb["C9"](C9),
                self.emb["C10"](C10),
                self.emb["C11"](C11),
                self.emb["C12"](C12),
                self.emb["C13"](C13),
                self.emb["C14"](C14),
                self.emb["C15"](C15),
                self.emb["C16"](C16),
                self.emb["C17"](C17),
                self.emb["C18"](C18),
                self.emb["C19"](C19),
                self.emb["C20"](C20),
                self.emb["C21"](C21),
                self.emb["C22"](C22),
                self.emb["C23"](C23),
                self.emb["C24"](C24),
                self.emb["C25"](C25),
                self.emb["C26"](C26),
                I,
            ),
            1,
        )  # (N, 429)
        crossed = x0
        for layer in self.crossed:
            crossed = layer(crossed, x0)  # (N, 429)
        deep = self.deep(x0)  # (N, 768)
        del x0
        x = torch.cat((crossed, deep), 1)  # (N, 1197)
        del crossed, deep
        return self.click(x)
