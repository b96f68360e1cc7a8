import torch
from torch import Tensor, nn


class TabTransformer(nn.Module):
    """Columns of categories as the words of a transformer, a part of each embedding the column's
    own; numbers beside them (Huang et al. 2020, arXiv 2012.06678, for the Adult census).

    Inputs: numbers (N, 6), workclass (N,) int64, education (N,) int64, marital (N,) int64,
    occupation (N,) int64, relationship (N,) int64, race (N,) int64, sex (N,) int64, country (N,)
    int64. Output: rich (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.ModuleDict(
            {
                "workclass": nn.Embedding(9, 28),
                "education": nn.Embedding(16, 28),
                "marital": nn.Embedding(7, 28),
                "occupation": nn.Embedding(15, 28),
                "relationship": nn.Embedding(6, 28),
                "race": nn.Embedding(5, 28),
                "sex": nn.Embedding(2, 28),
                "country": nn.Embedding(42, 28),
            }
        )
        self.columns = nn.Parameter(nn.init.normal_(torch.empty(1, 8, 4), std=0.02))
        self.read = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 8, dim_feedforward=128, batch_first=True),
            num_layers=6,
        )
        self.categories = nn.Flatten()
        self.normed = nn.LayerNorm(6)
        self.rich = nn.Sequential(
            nn.Linear(262, 1048),
            nn.ReLU(),
            nn.Linear(1048, 524),
            nn.ReLU(),
            nn.Linear(524, 1),
        )

    def forward(
        self,
        *,
        numbers: Tensor,
        workclass: Tensor,
        education: Tensor,
        marital: Tensor,
        occupation: Tensor,
        relationship: Tensor,
        race: Tensor,
        sex: Tensor,
        country: Tensor,
    ) -> Tensor:
        values = torch.stack(
            (
                self.emb["workclass"](workclass),
                self.emb["education"](education),
                self.emb["marital"](marital),
                self.emb["occupation"](occupation),
                self.emb["relationship"](relationship),
                self.emb["race"](race),
                self.emb["sex"](sex),
                self.emb["country"](country),
            ),
            1,
        )  # (N, 8, 28)
        columns = self.columns.expand(numbers.shape[0], -1, -1)  # (N, 8, 4)
        categories = torch.cat((columns, values), -1)  # (N, 8, 32)
        del columns, values
        categories = self.read(categories)  # (N, 8, 32)
        categories = self.categories(categories)  # (N, 256)
        normed = self.normed(numbers)  # (N, 6)
        x = torch.cat((categories, normed), 1)  # (N, 262)
        del categories, normed
        return self.rich(x)
