"""References of models that see images, video or points."""

from __future__ import annotations

from torch import Tensor, nn

from tests.gallery.published import reference


class MixerLayer(nn.Module):
    """Tolstikhin et al. 2021, equation 1."""

    def __init__(self, tokens: int, width: int, token_width: int, channel_width: int) -> None:
        super().__init__()
        self.tokens = nn.Sequential()
        for key, layer in (
            ("0", nn.LayerNorm(width)),
            ("2", nn.Linear(tokens, token_width)),
            ("3", nn.GELU()),
            ("4", nn.Linear(token_width, tokens)),
        ):
            self.tokens.add_module(key, layer)
        self.channels = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, channel_width),
            nn.GELU(),
            nn.Linear(channel_width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        norm, *mlp = self.tokens
        mixed = norm(x).mT
        for layer in mlp:
            mixed = layer(mixed)
        x = x + mixed.mT
        return x + self.channels(x)


@reference("mlp_mixer", width=16, depth=2, token_width=12, channel_width=24, classes=5)
class MLPMixer(nn.Module):
    def __init__(
        self, width: int, depth: int, token_width: int, channel_width: int, classes: int
    ) -> None:
        super().__init__()
        self.patches = nn.Sequential(nn.Conv2d(3, width, 16, 16))
        layers = [MixerLayer(196, width, token_width, channel_width) for _ in range(depth)]
        self.logits = nn.Module()
        for key, layer in (
            ("0", nn.Sequential(*layers)),
            ("1", nn.LayerNorm(width)),
            ("3", nn.Linear(width, classes)),
        ):
            self.logits.add_module(key, layer)

    def forward(self, image: Tensor) -> Tensor:
        layers, norm, head = self.logits.children()
        x = self.patches(image).flatten(2).mT
        return head(norm(layers(x)).mean(1))
