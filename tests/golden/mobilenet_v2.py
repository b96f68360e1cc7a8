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


class Depthwise(nn.Sequential):
    def __init__(self, in_channels: int, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=in_channels, kernel=3, stride=stride, groups=in_channels),
            nn.ReLU6(True),
        )


class Inverted(nn.Sequential):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=6 * in_channels),
            nn.ReLU6(True),
            Depthwise(6 * in_channels, stride=stride),
            ConvBn(6 * in_channels, width=width),
        )


class Residual(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.body = Inverted(in_channels, width=in_channels)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return x + body


class MobileNetV2(nn.Module):
    """A small image classifier of inverted residuals: widen, filter each channel by itself, narrow
    without activation (Sandler et al. 2018, arXiv 1801.04381; the same as torchvision's
    mobilenet_v2).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvBn(3, width=32, kernel=3, stride=2), nn.ReLU6(True))
        self.narrow = nn.Sequential(Depthwise(32), ConvBn(32, width=16))
        self.stages = nn.Sequential(
            Inverted(16, width=24, stride=2),
            Residual(24),
            Inverted(24, width=32, stride=2),
            nn.Sequential(*[Residual(32) for _ in range(2)]),
            Inverted(32, width=64, stride=2),
            nn.Sequential(*[Residual(64) for _ in range(3)]),
            Inverted(64, width=96),
            nn.Sequential(*[Residual(96) for _ in range(2)]),
            Inverted(96, width=160, stride=2),
            nn.Sequential(*[Residual(160) for _ in range(2)]),
            Inverted(160, width=320),
        )
        self.features = nn.Sequential(
            ConvBn(320, width=1280),
            nn.ReLU6(True),
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
