import torch
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Select(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.select(1, 0)


class Alone(nn.Module):
    def __init__(self, T: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.places = nn.Parameter(nn.init.normal_(torch.empty(T + 1, 768), std=0.02))
        self.states = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(
                768,
                12,
                dim_feedforward=3072,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            ),
            num_layers=8,
            enable_nested_tensor=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        cls_token = self.cls_token.expand(x.shape[0], -1, -1)  # (N, 1, 768)
        tokens = torch.cat((cls_token, x), 1)
        del cls_token
        placed = tokens + self.places
        del tokens
        return self.states(placed)


class BottleneckLayer(nn.Module):
    """A transformer layer for each input, on its tokens and the shared ones."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder0 = nn.TransformerEncoderLayer(
            768,
            12,
            dim_feedforward=3072,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder1 = nn.TransformerEncoderLayer(
            768,
            12,
            dim_feedforward=3072,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )

    def forward(self, x0: Tensor, x1: Tensor, bottleneck: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        encoder0 = torch.cat((x0, bottleneck), 1)  # (N, 1573, 768)
        encoder0 = self.encoder0(encoder0)  # (N, 1573, 768)
        own0 = encoder0[:, :-4]  # (N, 1569, 768)
        shared0 = encoder0[:, -4:]  # (N, 4, 768)
        del encoder0
        encoder1 = torch.cat((x1, bottleneck), 1)  # (N, 405, 768)
        encoder1 = self.encoder1(encoder1)  # (N, 405, 768)
        own1 = encoder1[:, :-4]  # (N, 401, 768)
        shared1 = encoder1[:, -4:]  # (N, 4, 768)
        del encoder1
        mean = (shared0 + shared1) / 2  # (N, 4, 768)
        del shared0, shared1
        return own0, own1, mean


class BottleneckTransformer(nn.Module):
    """Multimodal bottleneck transformer (Nagrani et al. 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.bottleneck = nn.Parameter(nn.init.normal_(torch.empty(1, 4, 768), std=0.02))
        self.layers = nn.ModuleList([BottleneckLayer() for _ in range(4)])

    def forward(self, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
        bottleneck = self.bottleneck.expand(x0.shape[0], -1, -1)  # (N, 4, 768)
        for layer in self.layers:
            x0, x1, bottleneck = layer(x0, x1, bottleneck)
        del bottleneck
        return x0, x1


class MBT(nn.Module):
    """What a video shows, from its frames and its sound: two ViT-B/16, of which the last four
    layers see each other through four shared tokens (Nagrani et al. 2021, arXiv 2107.00135, on
    AudioSet).

    Inputs: frames (N, 3, 8, 224, 224), spectrogram (N, 1, 128, 800). Output: logits (N, 527).

    frames: eight frames in RGB, normalised

    spectrogram: log-mel, 8 seconds of 100 steps
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Sequential(
            nn.Conv3d(3, 768, kernel_size=(1, 16, 16), stride=(1, 16, 16)),
            Rearrange(),
            Alone(1568),
        )
        self.heard = nn.Sequential(
            nn.Conv2d(1, 768, kernel_size=16, stride=16),
            Rearrange(),
            Alone(400),
        )
        self.fused = BottleneckTransformer()
        self.seen_logits = nn.Sequential(Select(), nn.LayerNorm(768), nn.Linear(768, 527))

    def forward(self, *, frames: Tensor, spectrogram: Tensor) -> Tensor:
        seen = self.seen(frames)  # (N, 1569, 768)
        heard = self.heard(spectrogram)  # (N, 401, 768)
        fused_0, fused_1 = self.fused(seen, heard)  # (N, 1569, 768), (N, 401, 768)
        del seen, heard
        seen_logits = self.seen_logits(fused_0)  # (N, 527)
        del fused_0
        heard_logits = self.seen_logits(fused_1)  # (N, 527)
        del fused_1
        return (seen_logits + heard_logits) / 2
