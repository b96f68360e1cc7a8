import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (32, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Slice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, 1:]


class See(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(1024)
        self.attention = nn.MultiheadAttention(1024, 16, batch_first=True)
        self.up = nn.Sequential(nn.LayerNorm(1024), nn.Linear(1024, 4096))
        self.down = nn.Linear(4096, 1024)

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 577, 1024)
        attention = self.attention(attention, attention, attention, need_weights=False)[0]
        mixed = x + attention  # (N, 577, 1024)
        del attention
        down = self.up(mixed)  # (N, 577, 4096)
        down = down * torch.sigmoid(1.702 * down)  # (N, 577, 4096)
        down = self.down(down)  # (N, 577, 1024)
        return mixed + down


class Turn(nn.Module):
    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        other = x.roll(64, -1)  # (N, 32, T + 576, 128)
        return x * cos + other * sin


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(4096, eps=1e-05)
        self.lin = nn.ModuleDict(
            {
                "query": nn.Sequential(nn.Linear(4096, 4096, bias=False), Rearrange()),
                "key": nn.Sequential(nn.Linear(4096, 4096, bias=False), Rearrange()),
                "value": nn.Sequential(nn.Linear(4096, 4096, bias=False), Rearrange()),
            }
        )
        self.query = Turn()
        self.key = Turn()
        self.attention = nn.Sequential(Rearrange2(), nn.Linear(4096, 4096, bias=False))
        self.mixed_norm = nn.RMSNorm(4096, eps=1e-05)
        self.gate = nn.Linear(4096, 11008, bias=False)
        self.up = nn.Linear(4096, 11008, bias=False)
        self.down = nn.Linear(11008, 4096, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, T + 576, 4096)
        lin_query = self.lin["query"](norm)  # (N, 32, T + 576, 128)
        lin_key = self.lin["key"](norm)  # (N, 32, T + 576, 128)
        lin_value = self.lin["value"](norm)  # (N, 32, T + 576, 128)
        del norm
        query = self.query(lin_query, cos, sin)  # (N, 32, T + 576, 128)
        del lin_query
        key = self.key(lin_key, cos, sin)  # (N, 32, T + 576, 128)
        del lin_key
        attention = F.scaled_dot_product_attention(query, key, lin_value, is_causal=True)
        del query, key, lin_value
        attention = self.attention(attention)  # (N, T + 576, 4096)
        mixed = x + attention  # (N, T + 576, 4096)
        del attention
        mixed_norm = self.mixed_norm(mixed)  # (N, T + 576, 4096)
        gate = F.silu(self.gate(mixed_norm))  # (N, T + 576, 11008)
        up = self.up(mixed_norm)  # (N, T + 576, 11008)
        del mixed_norm
        down = gate * up  # (N, T + 576, 11008)
        del gate, up
        down = self.down(down)  # (N, T + 576, 4096)
        return mixed + down


class LLaVA(nn.Module):
    """LLaVA 1.5 7B: an image as 576 words before the text. CLIP's ViT-L/14 without its last layer
    sees it, two linear layers translate, and Llama 2 goes on (Liu et al. 2023, arXiv 2310.03744;
    the same as Hugging Face's LlavaForConditionalGeneration).

    Inputs: image (N, 3, 336, 336), tokens (N, T) int64. Output: logits (N, T + 576, 32064).

    image: RGB, normalised

    tokens: the text behind the image
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 1024, kernel_size=14, stride=14, bias=False)
        self.cls_token = nn.Parameter(nn.init.normal_(torch.empty(1, 1, 1024), std=0.02))
        self.places = nn.Parameter(nn.init.normal_(torch.empty(577, 1024), std=0.02))
        self.seen = nn.Sequential(
            nn.LayerNorm(1024),
            nn.Sequential(*[See() for _ in range(23)]),
            Slice(),
        )
        self.image_words = nn.Sequential(nn.Linear(1024, 4096), nn.GELU(), nn.Linear(4096, 4096))
        self.text_words = nn.Embedding(32064, 4096)
        self.states = nn.ModuleList([Layer() for _ in range(32)])
        self.logits = nn.Sequential(nn.RMSNorm(4096, eps=1e-05), nn.Linear(4096, 32064, bias=False))

    def forward(self, *, image: Tensor, tokens: Tensor) -> Tensor:
        patch_row = self.patches(image)  # (N, 1024, 24, 24)
        patch_row = patch_row.flatten(2).transpose(1, 2)  # (N, 576, 1024)
        cls_token = self.cls_token.expand(image.shape[0], -1, -1)  # (N, 1, 1024)
        joined = torch.cat((cls_token, patch_row), 1)  # (N, 577, 1024)
        del cls_token, patch_row
        image_words = joined + self.places  # (N, 577, 1024)
        del joined
        image_words = self.seen(image_words)  # (N, 576, 1024)
        image_words = self.image_words(image_words)  # (N, 576, 4096)
        text_words = self.text_words(tokens)  # (N, T, 4096)
        words = torch.cat((image_words, text_words), 1)  # (N, T + 576, 4096)
        del image_words, text_words
        step = torch.arange(words.shape[1], device=words.device)  # (T + 576,)
        step = step.unsqueeze(1)  # (T + 576, 1)
        i = torch.arange(128, device=image.device)  # (128,)
        cos = torch.cos(step / 10000 ** (i % 64 / 64)).to(image.dtype)  # (T + 576, 128)
        sin = (torch.where(i < 64, -1, 1) * torch.sin(step / 10000 ** (i % 64 / 64))).to(
            image.dtype
        )  # (T + 576, 128)
        del i, step
        x = words
        del words
        for layer in self.states:
            x = layer(x, cos, sin)  # (N, T + 576, 4096)
        del cos, sin
        return self.logits(x)
