from torch import Tensor, nn


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(64)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.ff = nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64))

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, T, 64)
        attention = self.attention(
            attention,
            attention,
            attention,
            key_padding_mask=padding,
            need_weights=False,
        )[0]  # (N, T, 64)
        mixed = x + attention  # (N, T, 64)
        del attention
        ff = self.ff(mixed)  # (N, T, 64)
        return mixed + ff


class MaskedAttention(nn.Module):
    """Self-attention over sequences of any length, padding masked; the first token tells the class.

    Inputs: tokens (N, T, 64), padding (N, T) bool. Output: logits (N, 5).

    tokens: embedded tokens

    padding: true where a token is padding
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoded = nn.ModuleList([Layer() for _ in range(2)])
        self.logits = nn.Linear(64, 5)

    def forward(self, *, tokens: Tensor, padding: Tensor) -> Tensor:
        x = tokens
        for layer in self.encoded:
            x = layer(x, padding)  # (N, T, 64)
        x = x.select(1, 0)  # (N, 64)
        return self.logits(x)
