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
            nn.BatchNorm2d(width, eps=0.001, momentum=0.01),
        )


class SqueezeExcite(nn.Module):
    def __init__(self, in_channels: int, squeezed: int) -> None:
        super().__init__()
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.narrow = nn.Conv2d(in_channels, squeezed, kernel_size=1)
        self.scale = nn.Conv2d(squeezed, in_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.mean(x)
        scale = F.relu(self.narrow(scale))
        scale = F.hardsigmoid(self.scale(scale))
        return scale * x


class Depthwise(nn.Sequential):
    def __init__(self, in_channels: int, kernel: int = 5, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=in_channels, kernel=kernel, stride=stride, groups=in_channels)
        )


class Inverted(nn.Sequential):
    def __init__(self, in_channels: int, hidden: int, width: int, stride: int = 1) -> None:
        super().__init__(
            ConvBn(in_channels, width=hidden),
            nn.Hardswish(),
            Depthwise(hidden, stride=stride),
            nn.Hardswish(),
            SqueezeExcite(hidden, squeezed=(hidden // 4 + 4) // 8 * 8),
            ConvBn(hidden, width=width),
        )


class Residual(nn.Module):
    def __init__(self, in_channels: int, hidden: int) -> None:
        super().__init__()
        self.body = Inverted(in_channels, hidden=hidden, width=in_channels)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return body + x


class MobileNetV3Small(nn.Module):
    """MobileNetV2's inverted residuals with channels re-weighed by squeeze-and-excitation, and hard
    swish (Howard et al. 2019, arXiv 1905.02244; the same as torchvision's mobilenet_v3_small).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvBn(3, width=16, kernel=3, stride=2), nn.Hardswish())
        self.squeezed = nn.Sequential(
            Depthwise(16, kernel=3, stride=2),
            nn.ReLU(),
            SqueezeExcite(16, squeezed=8),
            ConvBn(16, width=16),
        )
        self.plain = nn.Sequential(
            ConvBn(16, width=72),
            nn.ReLU(),
            Depthwise(72, kernel=3, stride=2),
            nn.ReLU(),
            ConvBn(72, width=24),
        )
        self.branch = nn.Sequential(
            ConvBn(24, width=88),
            nn.ReLU(),
            Depthwise(88, kernel=3),
            nn.ReLU(),
            ConvBn(88, width=24),
        )
        self.stages = nn.Sequential(
            Inverted(24, hidden=96, width=40, stride=2),
            nn.Sequential(*[Residual(40, hidden=240) for _ in range(2)]),
            Inverted(40, hidden=120, width=48),
            Residual(48, hidden=144),
            Inverted(48, hidden=288, width=96, stride=2),
            nn.Sequential(*[Residual(96, hidden=576) for _ in range(2)]),
        )
        self.features = nn.Sequential(
            ConvBn(96, width=576),
            nn.Hardswish(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.logits = nn.Sequential(
            nn.Linear(576, 1024),
            nn.Hardswish(),
            nn.Dropout(0.2),
            nn.Linear(1024, 1000),
        )

    def forward(self, *, image: Tensor) -> Tensor:
        plain = self.stem(image)  # (N, 16, 112, 112)
        plain = self.squeezed(plain)  # (N, 16, 56, 56)
        plain = self.plain(plain)  # (N, 24, 28, 28)
        branch = self.branch(plain)  # (N, 24, 28, 28)
        x = branch + plain  # (N, 24, 28, 28)
        del branch, plain
        x = self.stages(x)  # (N, 96, 7, 7)
        x = self.features(x)  # (N, 576)
        return self.logits(x)
