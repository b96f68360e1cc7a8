import torch
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Select(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.select(1, 0)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(768, eps=1e-06)
        self.attention = nn.MultiheadAttention(768, 12, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(768, eps=1e-06),
            nn.Linear(768, 3072),
            nn.GELU(),
            nn.Linear(3072, 768),
        )

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 197, 768)
        attention = self.attention(attention, attention, attention, need_weights=False)[0]
        mixed = attention + x  # (N, 197, 768)
        del attention
        mlp = self.mlp(mixed)  # (N, 197, 768)
        return mixed + mlp


class ViTB16(nn.Module):
    """A vision transformer: 16x16 patches as words, and a class token that gathers what they say
    (Dosovitskiy et al. 2020, arXiv 2010.11929; the same as torchvision's vit_b_16).

    Input: image (N, 3, 224, 224). Output: logits (N, 1000).

    image: RGB, normalised
    """

    def __init__(self) -> None:
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.positions = nn.Parameter(nn.init.normal_(torch.empty(197, 768), std=0.02))
        self.patches = nn.Sequential(nn.Conv2d(3, 768, kernel_size=16, stride=16), Rearrange())
        self.encoded = nn.Sequential(*[Layer() for _ in range(12)])
        self.logits = nn.Sequential(nn.LayerNorm(768, eps=1e-06), Select(), nn.Linear(768, 1000))

    def forward(self, *, image: Tensor) -> Tensor:
        class_token = self.class_token.expand(image.shape[0], -1, -1)  # (N, 1, 768)
        patches = self.patches(image)  # (N, 196, 768)
        tokens = torch.cat((class_token, patches), 1)  # (N, 197, 768)
        del class_token, patches
        x = tokens + self.positions  # (N, 197, 768)
        del tokens
        x = self.encoded(x)  # (N, 197, 768)
        return self.logits(x)
