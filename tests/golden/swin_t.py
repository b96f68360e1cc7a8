import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Roll(nn.Module):
    def __init__(self, shifts: int) -> None:
        super().__init__()
        self.shifts = shifts

    def forward(self, x: Tensor) -> Tensor:
        return x.roll((self.shifts, self.shifts), (1, 2))


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (
            x.unflatten(1, (-1, 7))
            .unflatten(3, (-1, 7))
            .unflatten(5, (3, -1, 32))
            .permute(0, 1, 3, 6, 2, 4, 5, 7)
            .flatten(1, 2)
            .flatten(3, 4)
            .flatten(4)
        )


class Rearrange2(nn.Module):
    def __init__(self, y: int) -> None:
        super().__init__()
        self.y = y

    def forward(self, x: Tensor) -> Tensor:
        return (
            x.unflatten(1, (self.y, -1))
            .unflatten(4, (7, -1))
            .permute(0, 1, 4, 2, 5, 3, 6)
            .flatten(1, 2)
            .flatten(2, 3)
            .flatten(3)
        )


class Rearrange3(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).permute(0, 1, 3, 4, 2, 5).flatten(3)


class DropPath(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return x * F.dropout(x.new_ones((x.shape[0], 1, 1, 1)), p=self.p, training=self.training)


class Permute(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((1, 2))


class Layer(nn.Module):
    def __init__(self, in_features: int, shifts: int, S: int, shift: int, rate: float) -> None:
        super().__init__()
        self.S = S
        self.shift = shift
        self.table = nn.Embedding(169, in_features // 32)
        self.qkv = nn.Sequential(
            nn.LayerNorm(in_features),
            Roll(shifts),
            nn.Linear(in_features, 3 * in_features),
            Rearrange(),
        )
        self.attention = nn.Sequential(
            Rearrange2(S // 7),
            Roll(shift),
            nn.Linear(in_features, in_features),
            DropPath(rate),
        )
        self.mlp = nn.Sequential(
            nn.LayerNorm(in_features),
            nn.Linear(in_features, 4 * in_features),
            nn.GELU(),
            nn.Linear(4 * in_features, in_features),
            DropPath(rate),
        )

    def forward(self, x: Tensor, offset: Tensor) -> Tensor:
        query = torch.arange(self.S**2, device=x.device)
        query = (query // self.S + self.shift) // self.S * 2 + (
            query % self.S + self.shift
        ) // self.S
        query = (
            query.unflatten(0, (self.S // 7, 7, -1, 7))
            .transpose(1, 2)
            .flatten(0, 1)
            .flatten(1)
            .unsqueeze(1)
            .unsqueeze(3)
        )
        key = query.transpose(-1, -2)
        bias = self.table(offset)
        bias = bias.permute(2, 0, 1)
        qkv = self.qkv(x)
        parts_0, parts_1, parts_2 = qkv.chunk(3, -1)
        del qkv
        scores = torch.einsum("nwhqd,nwhkd->nwhqk", parts_0, parts_1)
        del parts_0, parts_1
        weights = F.softmax(scores / 32**0.5 + bias - torch.where(query == key, 0, 100), dim=-1)
        del scores, bias, query, key
        attention = weights @ parts_2
        del weights, parts_2
        attention = self.attention(attention)
        mixed = x + attention
        del attention
        mlp = self.mlp(mixed)
        return mixed + mlp


class Merging(nn.Sequential):
    def __init__(self, in_features: int, width: int) -> None:
        super().__init__(
            Rearrange3(),
            nn.LayerNorm(in_features),
            nn.Linear(in_features, width, bias=False),
        )


class SwinT(nn.Module):
    """A vision transformer that attends within windows of 7x7 patches, which every other layer
    shifts, and merges four patches into one between its stages (Liu et al. 2021, arXiv 2103.14030;
    the same as torchvision's swin_t).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, 96, kernel_size=4, stride=4),
            Permute(),
            nn.LayerNorm(96),
        )
        self.stage1 = nn.ModuleList(
            [
                Layer(96, 0, 56, shift=0, rate=0.0),
                Layer(96, -3, 56, shift=3, rate=0.018181818181818184),
            ]
        )
        self.merged1 = Merging(384, width=192)
        self.stage2 = nn.ModuleList(
            [
                Layer(192, 0, 28, shift=0, rate=0.03636363636363637),
                Layer(192, -3, 28, shift=3, rate=0.05454545454545456),
            ]
        )
        self.merged2 = Merging(768, width=384)
        self.stage3 = nn.ModuleList(
            [
                Layer(384, shifts, 14, shift=shift, rate=rate)
                for shifts, shift, rate in (
                    (0, 0, 0.07272727272727274),
                    (-3, 3, 0.09090909090909091),
                    (0, 0, 0.10909090909090911),
                    (-3, 3, 0.1272727272727273),
                    (0, 0, 0.14545454545454548),
                    (-3, 3, 0.16363636363636364),
                )
            ]
        )
        self.merged3 = Merging(1536, width=768)
        self.stage4 = nn.ModuleList(
            [
                Layer(768, 0, 7, shift=0, rate=0.18181818181818182),
                Layer(768, 0, 7, shift=0, rate=0.2),
            ]
        )
        self.logits = nn.Sequential(nn.LayerNorm(768), Mean(), nn.Linear(768, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        x = self.patches(image)  # (N, 56, 56, 96)
        column = torch.arange(49, device=image.device)  # (49,)
        column = column // 7 * 13 + column % 7  # (49,)
        row = column.unsqueeze(1)  # (49, 1)
        offset = row - column + 84  # (49, 49)
        del row, column
        for layer in self.stage1:
            x = layer(x, offset)  # (N, 56, 56, 96)
        x = self.merged1(x)  # (N, 28, 28, 192)
        for layer in self.stage2:
            x = layer(x, offset)  # (N, 28, 28, 192)
        x = self.merged2(x)  # (N, 14, 14, 384)
        for layer in self.stage3:
            x = layer(x, offset)  # (N, 14, 14, 384)
        x = self.merged3(x)  # (N, 7, 7, 768)
        for layer in self.stage4:
            x = layer(x, offset)  # (N, 7, 7, 768)
        del offset
        return self.logits(x)
