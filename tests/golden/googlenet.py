import torch
from torch import Tensor, nn


class Conv(nn.Sequential):
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
            nn.BatchNorm2d(width, eps=0.001),
            nn.ReLU(),
        )


class Halve(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.MaxPool2d(3, stride=2, ceil_mode=True))


class Inception(nn.Module):
    def __init__(
        self,
        in_channels: int,
        one: int,
        narrow3: int,
        three: int,
        narrow5: int,
        five: int,
        pool: int,
    ) -> None:
        super().__init__()
        self.branch1 = Conv(in_channels, width=one)
        self.branch2 = nn.Sequential(
            Conv(in_channels, width=narrow3),
            Conv(narrow3, width=three, kernel=3),
        )
        self.branch3 = nn.Sequential(
            Conv(in_channels, width=narrow5),
            Conv(narrow5, width=five, kernel=3),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            Conv(in_channels, width=pool),
        )

    def forward(self, x: Tensor) -> Tensor:
        branch1 = self.branch1(x)
        branch2 = self.branch2(x)
        branch3 = self.branch3(x)
        branch4 = self.branch4(x)
        return torch.cat((branch1, branch2, branch3, branch4), 1)


class Head(nn.Sequential):
    def __init__(self, in_channels: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(4),
            Conv(in_channels, width=128),
            nn.Flatten(),
            nn.Linear(2048, 1024),
            nn.ReLU(),
            nn.Dropout(0.7),
            nn.Linear(1024, 1000),
        )


class GoogLeNet(nn.Module):
    """An image classifier of inception blocks, kernels of several sizes side by side; two heads
    half-way help it to train (Szegedy et al. 2014, arXiv 1409.4842; the same as torchvision's
    googlenet).

    Input: image (N, 3, 224, 224). Outputs: logits (N, 1000), aux1 (N, 1000) (in training),
    aux2 (N, 1000) (in training).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv(3, width=64, kernel=7, stride=2),
            Halve(),
            Conv(64, width=64),
            Conv(64, width=192, kernel=3),
            Halve(),
        )
        self.early = nn.Sequential(
            Inception(192, one=64, narrow3=96, three=128, narrow5=16, five=32, pool=32),
            Inception(256, one=128, narrow3=128, three=192, narrow5=32, five=96, pool=64),
            Halve(),
            Inception(480, one=192, narrow3=96, three=208, narrow5=16, five=48, pool=64),
        )
        self.middle = nn.Sequential(
            Inception(512, one=160, narrow3=112, three=224, narrow5=24, five=64, pool=64),
            Inception(512, one=128, narrow3=128, three=256, narrow5=24, five=64, pool=64),
            Inception(512, one=112, narrow3=144, three=288, narrow5=32, five=64, pool=64),
        )
        self.late = nn.Sequential(
            Inception(528, one=256, narrow3=160, three=320, narrow5=32, five=128, pool=128),
            nn.MaxPool2d(2),
            Inception(832, one=256, narrow3=160, three=320, narrow5=32, five=128, pool=128),
            Inception(832, one=384, narrow3=192, three=384, narrow5=48, five=128, pool=128),
        )
        self.aux1 = Head(512)
        self.aux2 = Head(528)
        self.logits = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(1024, 1000),
        )

    def forward(self, *, image: Tensor) -> dict[str, Tensor]:
        early = self.stem(image)  # (N, 192, 28, 28)
        early = self.early(early)  # (N, 512, 14, 14)
        if self.training:
            aux1 = self.aux1(early)  # (N, 1000)
        middle = self.middle(early)  # (N, 528, 14, 14)
        del early
        if self.training:
            aux2 = self.aux2(middle)  # (N, 1000)
        logits = self.late(middle)  # (N, 1024, 7, 7)
        del middle
        logits = self.logits(logits)  # (N, 1000)
        if self.training:
            return {"logits": logits, "aux1": aux1, "aux2": aux2}
        return {"logits": logits}
