import torch.nn.functional as F
from torch import Tensor, nn


class ConvBn(nn.Sequential):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )


class Residual(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBn(in_channels, width=in_channels),
            nn.ReLU(),
            ConvBn(in_channels, width=in_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return F.relu(x + body, inplace=True)


class Stage(nn.Sequential):
    def __init__(self, in_channels: int, width: int, depth: int = 2) -> None:
        super().__init__(
            ConvBn(in_channels, width=width, stride=2),
            nn.ReLU(),
            nn.Sequential(*[Residual(width) for _ in range(depth)]),
        )


class ResidualCNN(nn.Module):
    """An image classifier of residual blocks, each stage half as large and twice as wide.

    Input: image (N, 3, 32, 32). Output: logits (N, 10).

    image: RGB, scaled to zero mean and unit variance
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvBn(3, width=16), nn.ReLU())
        self.stage1 = Stage(16, width=32)
        self.stage2 = Stage(32, width=64)
        self.stage3 = Stage(64, width=128, depth=3)
        self.logits = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 16, 32, 32)
        x = self.stage1(x)  # (N, 32, 16, 16)
        x = self.stage2(x)  # (N, 64, 8, 8)
        x = self.stage3(x)  # (N, 128, 4, 4)
        return self.logits(x)
