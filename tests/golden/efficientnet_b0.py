import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvBn(nn.Sequential):
    def __init__(
        self,
        in_channels: int,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel_size=kernel,
                stride=stride,
                padding=kernel // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(width),
        )


class SqueezeExcite(nn.Module):
    def __init__(self, in_channels: int, squeezed: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(in_channels, squeezed, kernel_size=1),
            nn.SiLU(),
        )
        self.scale = nn.Conv2d(squeezed, in_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.narrow(x)
        scale = torch.sigmoid(self.scale(scale))
        return scale * x


class Inverted(nn.Sequential):
    def __init__(self, in_channels: int, width: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=6 * in_channels),
            nn.SiLU(True),
            ConvBn(
                6 * in_channels,
                width=6 * in_channels,
                kernel=kernel,
                stride=stride,
                groups=6 * in_channels,
            ),
            nn.SiLU(True),
            SqueezeExcite(6 * in_channels, squeezed=in_channels // 4),
            ConvBn(6 * in_channels, width=width),
        )


class Residual(nn.Module):
    def __init__(self, in_channels: int, drop: float, kernel: int = 3) -> None:
        super().__init__()
        self.drop = drop
        self.body = Inverted(in_channels, width=in_channels, kernel=kernel)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.body(x)
        kept = kept * F.dropout(
            kept.new_ones((kept.shape[0], 1, 1, 1)),
            p=self.drop,
            training=self.training,
        )
        return kept + x


class EfficientNetB0(nn.Module):
    """An image classifier of inverted residuals with squeeze-and-excitation, found by search (Tan
    and Le 2019, arXiv 1905.11946; the same as torchvision's efficientnet_b0).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvBn(3, width=32, kernel=3, stride=2), nn.SiLU(True))
        self.narrow = nn.Sequential(
            ConvBn(32, width=32, kernel=3, groups=32),
            nn.SiLU(True),
            SqueezeExcite(32, squeezed=8),
            ConvBn(32, width=16),
        )
        self.stages = nn.Sequential(
            Inverted(16, width=24, stride=2),
            Residual(24, drop=0.025),
            Inverted(24, width=40, kernel=5, stride=2),
            Residual(40, drop=0.05, kernel=5),
            Inverted(40, width=80, stride=2),
            nn.Sequential(Residual(80, drop=0.075), Residual(80, drop=0.0875)),
            Inverted(80, width=112, kernel=5),
            nn.Sequential(
                Residual(112, drop=0.1125, kernel=5),
                Residual(112, drop=0.125, kernel=5),
            ),
            Inverted(112, width=192, kernel=5, stride=2),
            nn.Sequential(*[Residual(192, drop=drop, kernel=5) for drop in (0.15, 0.1625, 0.175)]),
            Inverted(192, width=320),
        )
        self.features = nn.Sequential(
            ConvBn(320, width=1280),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.logits = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 32, 112, 112)
        x = self.narrow(x)  # (N, 16, 112, 112)
        x = self.stages(x)  # (N, 320, 7, 7)
        x = self.features(x)  # (N, 1280)
        return self.logits(x)
