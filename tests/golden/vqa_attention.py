import torch
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Look(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query_proj = nn.Linear(1024, 512)
        self.region_proj = nn.Linear(1024, 512, bias=False)
        self.weights = nn.Sequential(
            nn.Dropout(),
            nn.Linear(512, 1),
            nn.Flatten(),
            nn.Softmax(dim=1),
        )

    def forward(self, query: Tensor, regions: Tensor) -> Tensor:
        query_row = self.query_proj(query)  # (N, 512)
        region_proj = self.region_proj(regions)  # (N, 196, 512)
        query_row = query_row.unsqueeze(1)  # (N, 1, 512)
        weights = torch.tanh(region_proj + query_row)  # (N, 196, 512)
        del region_proj, query_row
        weights = self.weights(weights)  # (N, 196)
        seen = torch.einsum("nl,nld->nd", weights, regions)  # (N, 1024)
        del weights
        return query + seen


class StackedAttention(nn.Module):
    """The answer to a question about an image: the question looks at its regions twice, each time
    with what it has learned (the stacked attention network of Yang et al. 2016, arXiv 1511.02274).

    Inputs: regions (N, 512, 14, 14), question (N, T) int64, length (N,) int64. Output:
    logits (N, 3000).

    regions: VGG-19, its last pooling layer, of an image of 448 x 448

    question: numbers of the words

    length: the number of words
    """

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Sequential(Rearrange(), nn.Linear(512, 1024), nn.Tanh())
        self.words = nn.Embedding(14000, 500)
        self.lstm = nn.LSTM(500, 1024, batch_first=True)
        self.refined = nn.ModuleList([Look() for _ in range(2)])
        self.logits = nn.Sequential(nn.Dropout(), nn.Linear(1024, 3000))

    def forward(self, *, regions: Tensor, question: Tensor, length: Tensor) -> Tensor:
        places = self.places(regions)  # (N, 196, 1024)
        x = self.words(question)  # (N, T, 500)
        x = nn.utils.rnn.pack_padded_sequence(
            x,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        x = self.lstm(x)[1][0][-1]  # (N, 1024)
        for layer in self.refined:
            x = layer(x, places)  # (N, 1024)
        del places
        return self.logits(x)
