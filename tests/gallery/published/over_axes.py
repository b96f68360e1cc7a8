"""References of models that do the same for each sentence of a document, or each frame of a video."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.gallery.published import Inputs, reference


class Encoder(nn.Module):
    """Yang et al. 2016, equations 1 to 7: one sequence, without padding."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.steps = nn.GRU(dim, hidden, batch_first=True, bidirectional=True)
        self.pooled = nn.ModuleDict(
            {
                "hidden": nn.Linear(2 * hidden, 2 * hidden),
                "score": nn.Linear(2 * hidden, 1, bias=False),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        (states,), _ = self.steps(x[None])
        scores = self.pooled["score"](torch.tanh(self.pooled["hidden"](states)))
        return (scores.softmax(0) * states).sum(0)


def _counted(inputs: Inputs) -> Inputs:
    n, s, w = inputs["words"].shape
    return inputs | {
        "word_counts": torch.randint(1, w + 1, (n, s)),
        "sentence_count": torch.randint(1, s + 1, (n,)),
    }


@reference("han", sizes={"S": 4, "W": 6}, prepare=_counted, vocab=50, dim=6, hidden=4, classes=3)
class HAN(nn.Module):
    def __init__(self, vocab: int, dim: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(vocab, dim)
        self.sentences = Encoder(dim, hidden)
        self.document = Encoder(2 * hidden, hidden)
        self.logits = nn.Linear(2 * hidden, classes)

    def forward(self, words: Tensor, word_counts: Tensor, sentence_count: Tensor) -> Tensor:
        documents = []
        for text, counts, number in zip(words, word_counts, sentence_count, strict=True):
            read = zip(text[:number], counts[:number], strict=True)
            sentences = [self.sentences(self.vectors(one[:count])) for one, count in read]
            documents.append(self.document(torch.stack(sentences)))
        return self.logits(torch.stack(documents))


class ViViTLayer(nn.Module):
    """Arnab et al. 2021, equations 4 to 6."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.space_in, self.time_in = nn.LayerNorm(width), nn.LayerNorm(width)
        self.space = nn.MultiheadAttention(width, heads, batch_first=True)
        self.time = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        frames = self.space_in(x).unbind(1)
        x = x + torch.stack([self.space(one, one, one)[0] for one in frames], 1)
        patches = self.time_in(x).unbind(2)
        x = x + torch.stack([self.time(one, one, one)[0] for one in patches], 2)
        return x + self.mlp(x)


@reference("vivit", steps=3, side=2, patch=4, width=16, depth=2, heads=4, classes=5)
class ViViT(nn.Module):
    def __init__(
        self, steps: int, side: int, patch: int, width: int, depth: int, heads: int, classes: int
    ) -> None:
        super().__init__()
        tube = (2, patch, patch)
        self.tubes = nn.Sequential(nn.Conv3d(3, width, tube, tube))
        self.places = nn.Parameter(torch.zeros(1, steps, side * side, width))
        layers = nn.Sequential(*[ViViTLayer(width, heads) for _ in range(depth)])
        self.logits = nn.Sequential(
            layers, nn.LayerNorm(width), nn.Identity(), nn.Linear(width, classes)
        )

    def forward(self, video: Tensor) -> Tensor:
        layers, norm, _, head = self.logits.children()
        x = self.tubes(video).flatten(3).permute(0, 2, 3, 1) + self.places
        return head(norm(layers(x)).mean((1, 2)))
