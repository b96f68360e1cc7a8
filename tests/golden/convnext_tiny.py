import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Permute(nn.Module):
    def __init__(self, dim1: int, dim2: int, dim3: int) -> None:
        super().__init__()
        self.dim1 = dim1
        self.dim2 = dim2
        self.dim3 = dim3

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, self.dim1, self.dim2, self.dim3)


class ChannelNorm(nn.Sequential):
    def __init__(self, normalized_shape: int) -> None:
        super().__init__(
            Permute(2, 3, 1),
            nn.LayerNorm(normalized_shape, eps=1e-06),
            Permute(3, 1, 2),
        )


class Residual(nn.Module):
    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.layer_scale = nn.Parameter(torch.full((in_channels, 1, 1), 1e-06))
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, kernel_size=7, padding=3, groups=in_channels),
            Permute(2, 3, 1),
            nn.LayerNorm(in_channels, eps=1e-06),
            nn.Linear(in_channels, 4 * in_channels),
            nn.GELU(),
            nn.Linear(4 * in_channels, in_channels),
            Permute(3, 1, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        kept = body * self.layer_scale
        del body
        kept = kept * F.dropout(
            kept.new_ones((kept.shape[0], 1, 1, 1)),
            p=self.drop,
            training=self.training,
        )
        return kept + x


class Halving(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            ChannelNorm(in_channels),
            nn.Conv2d(in_channels, width, kernel_size=2, stride=2),
        )


class ConvNeXtTiny(nn.Module):
    """A convolutional image classifier with the ways of a vision transformer: patches, few norms,
    GELU (Liu et al. 2022, arXiv 2201.03545; the same as torchvision's convnext_tiny).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 96, kernel_size=4, stride=4), ChannelNorm(96))
        self.stages = nn.Sequential(
            nn.Sequential(*[Residual(96, drop=drop) for drop in (0.0, 0.006, 0.012)]),
            Halving(96, width=192),
            nn.Sequential(*[Residual(192, drop=drop) for drop in (0.018, 0.024, 0.029)]),
            Halving(192, width=384),
            nn.Sequential(
                *[
                    Residual(384, drop=drop)
                    for drop in (0.035, 0.041, 0.047, 0.053, 0.059, 0.065, 0.071, 0.076, 0.082)
                ]
            ),
            Halving(384, width=768),
            nn.Sequential(*[Residual(768, drop=drop) for drop in (0.088, 0.094, 0.1)]),
        )
        self.logits = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(768, eps=1e-06),
            nn.Linear(768, 1000),
        )

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.stem(image)  # (N, 96, 56, 56)
        x = self.stages(x)  # (N, 768, 7, 7)
        return self.logits(x)
