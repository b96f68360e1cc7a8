import torch
from torch import Tensor, nn


class Hidden(nn.Sequential):
    def __init__(self, in_features: int) -> None:
        super().__init__(nn.Linear(in_features, 400), nn.ReLU(), nn.Dropout())


class DeepFM(nn.Module):
    """A factorization machine and a network on the same embeddings, their logits added (Guo et al.
    2017, arXiv 1703.04247, for Criteo's logs of 26 categories, here no more than 10,000 values
    each, and 13 counts).

    Inputs: I (N, 13), C1 (N,) int64, C2 (N,) int64, C3 (N,) int64, C4 (N,) int64, C5 (N,) int64,
    C6 (N,) int64, C7 (N,) int64, C8 (N,) int64, C9 (N,) int64, C10 (N,) int64, C11 (N,) int64,
    C12 (N,) int64, C13 (N,) int64, C14 (N,) int64, C15 (N,) int64, C16 (N,) int64, C17 (N,) int64,
    C18 (N,) int64, C19 (N,) int64, C20 (N,) int64, C21 (N,) int64, C22 (N,) int64, C23 (N,) int64,
    C24 (N,) int64, C25 (N,) int64, C26 (N,) int64. Output: click (N, 1).

    I: counts, as log(x + 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(nn.init.normal_(torch.empty(13, 10), std=0.01))
        self.emb = nn.ModuleDict(
            {
                "C1": nn.Embedding(1460, 10),
                "C2": nn.Embedding(583, 10),
                "C3": nn.Embedding(10000, 10),
                "C4": nn.Embedding(10000, 10),
                "C5": nn.Embedding(305, 10),
                "C6": nn.Embedding(24, 10),
                "C7": nn.Embedding(10000, 10),
                "C8": nn.Embedding(633, 10),
                "C9": nn.Embedding(3, 10),
                "C10": nn.Embedding(10000, 10),
                "C11": nn.Embedding(5683, 10),
                "C12": nn.Embedding(10000, 10),
                "C13": nn.Embedding(3194, 10),
                "C14": nn.Embedding(27, 10),
                "C15": nn.Embedding(10000, 10),
                "C16": nn.Embedding(10000, 10),
                "C17": nn.Embedding(10, 10),
                "C18": nn.Embedding(5652, 10),
                "C19": nn.Embedding(2173, 10),
                "C20": nn.Embedding(4, 10),
                "C21": nn.Embedding(10000, 10),
                "C22": nn.Embedding(18, 10),
                "C23": nn.Embedding(15, 10),
                "C24": nn.Embedding(10000, 10),
                "C25": nn.Embedding(105, 10),
                "C26": nn.Embedding(10000, 10),
            }
        )
        self.weight = nn.ModuleDict(
            {
                "C1": nn.Embedding(1460, 1),
                "C2": nn.Embedding(583, 1),
                "C3": nn.Embedding(10000, 1),
                "C4": nn.Embedding(10000, 1),
                "C5": nn.Embedding(305, 1),
                "C6": nn.Embedding(24, 1),
                "C7": nn.Embedding(10000, 1),
                "C8": nn.Embedding(633, 1),
                "C9": nn.Embedding(3, 1),
                "C10": nn.Embedding(10000, 1),
                "C11": nn.Embedding(5683, 1),
                "C12": nn.Embedding(10000, 1),
                "C13": nn.Embedding(3194, 1),
                "C14": nn.Embedding(27, 1),
                "C15": nn.Embedding(10000, 1),
                "C16": nn.Embedding(10000, 1),
                "C17": nn.Embedding(10, 1),
                "C18": nn.Embedding(5652, 1),
                "C19": nn.Embedding(2173, 1),
                "C20": nn.Embedding(4, 1),
                "C21": nn.Embedding(10000, 1),
                "C22": nn.Embedding(18, 1),
                "C23": nn.Embedding(15, 1),
                "C24": nn.Embedding(10000, 1),
                "C25": nn.Embedding(105, 1),
                "C26": nn.Embedding(10000, 1),
            }
        )
        self.dense = nn.Linear(13, 1)
        self.deep = nn.Sequential(
            nn.Flatten(),
            nn.Sequential(Hidden(390), *[Hidden(400) for _ in range(2)]),
            nn.Linear(400, 1),
        )

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
        counts = I.unsqueeze(-1)  # (N, 13, 1)
        vec = counts * self.table  # (N, 13, 10)
        del counts
        dense = self.dense(I)  # (N, 1)
        linear = (
            dense
            + self.weight["C1"](C1)
            + self.weight["C2"](C2)
            + self.weight["C3"](C3)
            + self.weight["C4"](C4)
            + self.weight["C5"](C5)
            + self.weight["C6"](C6)
            + self.weight["C7"](C7)
            + self.weight["C8"](C8)
            + self.weight["C9"](C9)
            + self.weight["C10"](C10)
            + self.weight["C11"](C11)
            + self.weight["C12"](C12)
            + self.weight["C13"](C13)
            + self.weight["C14"](C14)
            + self.weight["C15"](C15)
            + self.weight["C16"](C16)
            + self.weight["C17"](C17)
            + self.weight["C18"](C18)
            + self.weight["C19"](C19)
            + self.weight["C20"](C20)
            + self.weight["C21"](C21)
            + self.weight["C22"](C22)
            + self.weight["C23"](C23)
            + self.weight["C24"](C24)
            + self.weight["C25"](C25)
            + self.weight["C26"](C26)
        )  # (N, 1)
        del dense
        categories = torch.stack(
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
            ),
            1,
        )  # (N, 26, 10)
        fields = torch.cat((vec, categories), 1)  # (N, 39, 10)
        del vec, categories
        pairs = 0.5 * (fields.sum(1).square() - fields.square().sum(1)).sum(1, keepdim=True)
        deep = self.deep(fields)  # (N, 1)
        del fields
        return torch.sigmoid(linear + pairs + deep)
