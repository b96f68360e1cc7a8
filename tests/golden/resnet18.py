import torch.nn.functional as F
from torch import Tensor, nn


class ConvBn(nn.Sequential):
    def __init__(self, in_channels: int, width: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                width,
                kernel_size=kernel,
                stride=stride,
                padding=kernel // 2,
                bias=False,
            ),
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
        return F.relu(body + x, inplace=True)


class Halving(nn.Module):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBn(in_channels, width=width, stride=2),
            nn.ReLU(),
            ConvBn(width, width=width),
        )
        self.shortcut = ConvBn(in_channels, width=width, kernel=1, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        shortcut = self.shortcut(x)
        return F.relu(body + shortcut, inplace=True)


class ResNet18(nn.Module):
    """An image classifier of residual blocks, each stage half as large and twice as wide (He et al.
    2015, arXiv 1512.03385; the same as torchvision's resnet18).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvBn(3, width=64, kernel=7, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stage1 = nn.Sequential(*[Residual(64) for _ in range(2)])
        self.stage2 = nn.Sequential(Halving(64, width=128), Residual(128))
        self.stage3 = nn.Sequential(Halving(128, width=256), Residual(256))
        self.stage4 = nn.Sequential(Halving(256, width=512), Residual(512))
        self.logits = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 64, 56, 56)
        x = self.stage1(x)  # (N, 64, 56, 56)
        x = self.stage2(x)  # (N, 128, 28, 28)
        x = self.stage3(x)  # (N, 256, 14, 14)
        x = self.stage4(x)  # (N, 512, 7, 7)
        return self.logits(x)
