import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


class Mlp(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.LayerNorm(1024),
            nn.Linear(1024, 1024),
            nn.GELU(),
            nn.Linear(1024, 1024),
        )


class Look(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(1024)
        self.seen_norm = nn.LayerNorm(261)
        self.query = nn.Linear(1024, 261)
        self.key = nn.Linear(261, 261)
        self.value = nn.Linear(261, 261)
        self.found = nn.Linear(261, 1024)
        self.mlp = Mlp()

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        query = self.norm(x)  # (N, 512, 1024)
        seen_norm = self.seen_norm(seen)  # (N, M, 261)
        query = self.query(query)  # (N, 512, 261)
        key = self.key(seen_norm)  # (N, M, 261)
        value = self.value(seen_norm)  # (N, M, 261)
        del seen_norm
        found = F.scaled_dot_product_attention(query, key, value)  # (N, 512, 261)
        del query, key, value
        found = self.found(found)  # (N, 512, 1024)
        mixed = found + x  # (N, 512, 1024)
        del found
        mlp = self.mlp(mixed)  # (N, 512, 1024)
        return mixed + mlp


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(1024)
        self.attention = nn.MultiheadAttention(1024, 8, batch_first=True)
        self.mlp = Mlp()

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 512, 1024)
        attention = self.attention(attention, attention, attention, need_weights=False)[0]
        mixed = attention + x  # (N, 512, 1024)
        del attention
        mlp = self.mlp(mixed)  # (N, 512, 1024)
        return mixed + mlp


class Perceiver(nn.Module):
    """A few latent vectors look at every pixel again and again and think in between, at a cost
    linear in the number of pixels (Jaegle et al. 2021, arXiv 2103.03206, the ImageNet model, 44.9M
    weights).

    Inputs: pixels (N, M, 3), places (N, M, 258). Output: logits (N, 1000).

    pixels: 50,176 of them on ImageNet

    places: where each pixel is: its place and 64 Fourier bands, of two axes
    """

    def __init__(self) -> None:
        super().__init__()
        self.latents = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 512, 1024), std=0.02))
        self.look0 = Look()
        self.think0 = nn.Sequential(*[Layer() for _ in range(6)])
        self.look1 = Look()
        self.logits = nn.Sequential(Mean(), nn.Linear(1024, 1000))

    def forward(self, *, pixels: Tensor, places: Tensor) -> Tensor:
        seen = torch.cat((pixels, places), -1)  # (N, M, 261)
        latents = self.latents.expand(pixels.shape[0], -1, -1)  # (N, 512, 1024)
        think0 = self.look0(latents, seen)  # (N, 512, 1024)
        del latents
        think0 = self.think0(think0)  # (N, 512, 1024)
        think1 = self.look1(think0, seen)  # (N, 512, 1024)
        del think0
        think1 = self.think0(think1)  # (N, 512, 1024)
        think2 = self.look1(think1, seen)  # (N, 512, 1024)
        del think1
        think2 = self.think0(think2)  # (N, 512, 1024)
        think3 = self.look1(think2, seen)  # (N, 512, 1024)
        del think2
        think3 = self.think0(think3)  # (N, 512, 1024)
        think4 = self.look1(think3, seen)  # (N, 512, 1024)
        del think3
        think4 = self.think0(think4)  # (N, 512, 1024)
        think5 = self.look1(think4, seen)  # (N, 512, 1024)
        del think4
        think5 = self.think0(think5)  # (N, 512, 1024)
        think6 = self.look1(think5, seen)  # (N, 512, 1024)
        del think5
        think6 = self.think0(think6)  # (N, 512, 1024)
        x = self.look1(think6, seen)  # (N, 512, 1024)
        del think6, seen
        x = self.think0(x)  # (N, 512, 1024)
        return self.logits(x)
