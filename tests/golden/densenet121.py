import torch
from torch import Tensor, nn


class DenseLayer(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.new = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(True),
            nn.Conv2d(in_channels, 128, kernel_size=1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(True),
            nn.Conv2d(128, 32, kernel_size=3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        new = self.new(x)
        return torch.cat((x, new), 1)


class Transition(nn.Sequential):
    def __init__(self, in_channels: int) -> None:
        super().__init__(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(True),
            nn.Conv2d(in_channels, in_channels // 2, kernel_size=1, bias=False),
            nn.AvgPool2d(2),
        )


class DenseNet121(nn.Module):
    """An image classifier whose layers each see the feature maps of all before them in their block
    (Huang et al. 2016, arXiv 1608.06993; the same as torchvision's densenet121).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.features = nn.Sequential(
            nn.Sequential(*[DenseLayer(in_channels) for in_channels in range(64, 256, 32)]),
            Transition(256),
            nn.Sequential(*[DenseLayer(in_channels) for in_channels in range(128, 512, 32)]),
            Transition(512),
            nn.Sequential(*[DenseLayer(in_channels) for in_channels in range(256, 1024, 32)]),
            Transition(1024),
            nn.Sequential(*[DenseLayer(in_channels) for in_channels in range(512, 1024, 32)]),
            nn.BatchNorm2d(1024),
            nn.ReLU(True),
        )
        self.logits = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 64, 56, 56)
        x = self.features(x)  # (N, 1024, 7, 7)
        return self.logits(x)
