import torch.nn.functional as F
from torch import Tensor, nn


class ConvBn(nn.Sequential):
    def __init__(self, in_channels: int, width: int, kernel: int = 1, stride: int = 1) -> None:
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


class Bottleneck(nn.Sequential):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=width),
            nn.ReLU(True),
            ConvBn(width, width=width, kernel=3, stride=stride),
            nn.ReLU(True),
            ConvBn(width, width=4 * width),
        )


class Widening(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 2) -> None:
        super().__init__()
        self.body = Bottleneck(in_channels, width=width, stride=stride)
        self.shortcut = ConvBn(in_channels, width=4 * width, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        shortcut = self.shortcut(x)
        return F.relu(body + shortcut, inplace=True)


class Residual(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.body = Bottleneck(in_channels, width=in_channels // 4)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return F.relu(body + x, inplace=True)


class ResNet50(nn.Module):
    """An image classifier of bottlenecks, 1x1 to narrow, 3x3, 1x1 to widen, each beside a shortcut
    (He et al. 2015, arXiv 1512.03385; the same as torchvision's resnet50, stride in the 3x3).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvBn(3, width=64, kernel=7, stride=2),
            nn.ReLU(True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stage1 = nn.Sequential(Widening(64, width=64, stride=1), Residual(256), Residual(256))
        self.stage2 = nn.Sequential(
            Widening(256, width=128),
            nn.Sequential(*[Residual(512) for _ in range(3)]),
        )
        self.stage3 = nn.Sequential(
            Widening(512, width=256),
            nn.Sequential(*[Residual(1024) for _ in range(5)]),
        )
        self.stage4 = nn.Sequential(
            Widening(1024, width=512),
            nn.Sequential(*[Residual(2048) for _ in range(2)]),
        )
        self.logits = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 64, 56, 56)
        x = self.stage1(x)  # (N, 256, 56, 56)
        x = self.stage2(x)  # (N, 512, 28, 28)
        x = self.stage3(x)  # (N, 1024, 14, 14)
        x = self.stage4(x)  # (N, 2048, 7, 7)
        return self.logits(x)
