"""References of models that make pictures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery.published import Inputs, reference


@reference("vae", hidden=12, latent=4)
class VAE(nn.Module):
    """Kingma and Welling 2013, appendix C; in eval the code is the mean."""

    def __init__(self, hidden: int, latent: int) -> None:
        super().__init__()
        self.seen = nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.Tanh())
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.image_logits = nn.Sequential(
            nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, 784)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.seen(image)
        mean, log_variance = self.mean(seen), self.log_variance(seen)
        code = mean
        if self.training:
            code = code + (log_variance / 2).exp() * torch.randn_like(mean)
        return self.image_logits(code).unflatten(1, (1, 28, 28)), mean, log_variance


def group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    def __init__(self, before: int, width: int, told: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = group_norm(before), nn.Conv2d(before, width, 3, padding=1)
        self.told = nn.Linear(told, width)
        self.norm2, self.conv2 = group_norm(width), nn.Conv2d(width, width, 3, padding=1)
        self.nin = nn.Conv2d(before, width, 1) if before != width else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x))) + self.told(F.silu(time))[:, :, None, None]
        h = self.conv2(F.dropout(F.silu(self.norm2(h)), 0.1, self.training))
        return self.nin(x) + h


class AttentionBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = group_norm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x).movedim(1, -1)
        q, k, v = self.q(h), self.k(h), self.v(h)
        scores = torch.einsum("nhwc,nHWc->nhwHW", q, k) * x.shape[1] ** -0.5
        weights = scores.flatten(3).softmax(-1).view_as(scores)
        return x + self.out(torch.einsum("nhwHW,nHWc->nhwc", weights, v)).movedim(-1, 1)


def _noised(inputs: Inputs) -> Inputs:
    return inputs | {"step": torch.tensor([0, 17, 999])}


@reference("diffusion_unet", prepare=_noised, width=32)
class DiffusionUNet(nn.Module):
    """Ho et al. 2020, section B, after the authors' code: a loop over levels, and a stack of skips."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.time = nn.Sequential(
            nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, 4 * width)
        )
        skips = [width]
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level, wide in enumerate((width, 2 * width, 2 * width, 2 * width)):
            for _ in range(2):
                self.down.append(self.block(skips[-1], wide, level))
                skips.append(wide)
            if level < 3:
                self.down.append(nn.Conv2d(wide, wide, 3, 2))
                skips.append(wide)
        self.middle = self.block(2 * width, 2 * width, 1)
        self.last = self.block(2 * width, 2 * width, 0)
        before = 2 * width
        for level, wide in reversed([*enumerate((width, 2 * width, 2 * width, 2 * width))]):
            for _ in range(3):
                self.up.append(self.block(before + skips.pop(), wide, level))
                before = wide
            if level:
                self.up.append(nn.Conv2d(wide, wide, 3, padding=1))
        self.end = nn.Sequential(group_norm(width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def block(self, before: int, width: int, level: int) -> nn.ModuleList:
        """Return a block, with attention in the second level."""
        block = ResnetBlock(before, width, 4 * self.width)
        return nn.ModuleList([block, AttentionBlock(width)] if level == 1 else [block])

    def forward(self, image: Tensor, step: Tensor) -> Tensor:
        half = self.width // 2
        rates = [math.exp(-math.log(10000) * i / (half - 1)) for i in range(half)]
        angles = step[:, None] * torch.tensor(rates)
        time = self.time(torch.cat((angles.sin(), angles.cos()), 1))

        def run(layers: nn.Module, x: Tensor) -> Tensor:
            block, *attention = layers.children()
            x = block(x, time)
            return attention[0](x) if attention else x

        skips = [self.first(image)]
        for layer in self.down:
            x = skips[-1]
            wide = isinstance(layer, nn.Conv2d)
            skips.append(layer(F.pad(x, (0, 1, 0, 1))) if wide else run(layer, x))
        x = run(self.last, run(self.middle, skips[-1]))
        for layer in self.up:
            if isinstance(layer, nn.Conv2d):
                x = layer(F.interpolate(x, scale_factor=2))
            else:
                x = run(layer, torch.cat((x, skips.pop()), 1))
        return self.end(x)
