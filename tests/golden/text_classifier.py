import torch
from torch import Tensor, nn


def _sinusoid(length: int, width: int) -> Tensor:
    """Positions as sine and cosine, interleaved (Vaswani et al., 2017): (length, width)."""
    rates = 10000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[:, :width]


class TextClassifier(nn.Module):
    """The class of a text of any length: a transformer encoder reads its real words, and the mean
    of their states is classified (the encoder of Vaswani et al. 2017, arXiv 1706.03762, norms
    first).

    Inputs: tokens (N, T) int64, length (N,) int64. Output: logits (N, 4). At run time T <= 512.

    tokens: numbers of the words

    length: the number of words
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(30000, 256)
        self.sinusoid = nn.Buffer(_sinusoid(512, 256))
        self.states = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                256,
                4,
                dim_feedforward=1024,
                batch_first=True,
                norm_first=True,
            ),
            num_layers=4,
            enable_nested_tensor=False,
        )
        self.normed = nn.LayerNorm(256)
        self.logits = nn.Linear(256, 4)

    def forward(self, *, tokens: Tensor, length: Tensor) -> Tensor:
        words = self.words(tokens)  # (N, T, 256)
        places = self.sinusoid[: tokens.shape[1]]  # (T, 256)
        placed = words + places  # (N, T, 256)
        del words, places
        real = torch.arange(tokens.shape[1], device=length.device) < length[:, None]  # (N, T)
        padding = ~real  # (N, T)
        normed = self.states(placed, src_key_padding_mask=padding)  # (N, T, 256)
        del placed, padding
        normed = self.normed(normed)  # (N, T, 256)
        x = normed.masked_fill(~real[:, :, None], 0).sum(1) / real.sum(1).clamp(min=1)[:, None]
        del normed, real
        return self.logits(x)
