import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MultiGateMixtureOfExperts(nn.Module):
    """Multi-gate mixture of experts (Ma et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.experts = nn.ModuleList([nn.Linear(35, 16) for _ in range(8)])
        self.gate_rich = nn.Linear(35, 8)
        self.gate_single = nn.Linear(35, 8)

    def forward(
        self,
        x0: Tensor,
        x1: Tensor,
        x2: Tensor,
        x3: Tensor,
        x4: Tensor,
        x5: Tensor,
        x6: Tensor,
        x7: Tensor,
    ) -> tuple[Tensor, Tensor]:
        joined = torch.cat((x0, x1, x2, x3, x4, x5, x6, x7), 1)  # (N, 35)
        experts = torch.stack([expert(joined) for expert in self.experts], 1)  # (N, 8, 16)
        gate_rich = F.softmax(self.gate_rich(joined), dim=-1)  # (N, 8)
        mixed_rich = torch.einsum("ne,neo->no", gate_rich, experts)  # (N, 16)
        del gate_rich
        gate_single = F.softmax(self.gate_single(joined), dim=-1)  # (N, 8)
        del joined
        mixed_single = torch.einsum("ne,neo->no", gate_single, experts)  # (N, 16)
        del gate_single, experts
        return mixed_rich, mixed_single


class MMoE(nn.Module):
    """Two questions about a person from the census, answered by shared experts that each question
    weighs for itself (Ma et al. 2018, KDD, doi 10.1145/3219819.3220007).

    Inputs: numbers (N, 7), workclass (N,) int64, education (N,) int64, industry (N,) int64,
    occupation (N,) int64, race (N,) int64, sex (N,) int64, household (N,) int64. Outputs:
    rich (N, 1), single (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {
                "workclass": nn.Embedding(9, 4),
                "education": nn.Embedding(17, 4),
                "industry": nn.Embedding(24, 4),
                "occupation": nn.Embedding(15, 4),
                "race": nn.Embedding(5, 4),
                "sex": nn.Embedding(2, 4),
                "household": nn.Embedding(8, 4),
            }
        )
        self.shared = MultiGateMixtureOfExperts()
        self.tower = nn.ModuleDict(
            {
                "rich": nn.Sequential(
                    nn.ReLU(),
                    nn.Linear(16, 8),
                    nn.ReLU(),
                    nn.Linear(8, 1),
                    nn.Sigmoid(),
                ),
                "single": nn.Sequential(
                    nn.ReLU(),
                    nn.Linear(16, 8),
                    nn.ReLU(),
                    nn.Linear(8, 1),
                    nn.Sigmoid(),
                ),
            }
        )

    def forward(
        self,
        *,
        numbers: Tensor,
        workclass: Tensor,
        education: Tensor,
        industry: Tensor,
        occupation: Tensor,
        race: Tensor,
        sex: Tensor,
        household: Tensor,
    ) -> dict[str, Tensor]:
        shared_rich, shared_single = self.shared(
            self.emb["workclass"](workclass),
            self.emb["education"](education),
            self.emb["industry"](industry),
            self.emb["occupation"](occupation),
            self.emb["race"](race),
            self.emb["sex"](sex),
            self.emb["household"](household),
            numbers,
        )  # each (N, 16)
        tower_rich = self.tower["rich"](shared_rich)  # (N, 1)
        del shared_rich
        tower_single = self.tower["single"](shared_single)  # (N, 1)
        del shared_single
        return {"rich": tower_rich, "single": tower_single}
