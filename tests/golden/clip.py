import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Select(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.select(1, 0)


class Normalize(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1)


class QuickGelu(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(768)
        self.attention = nn.MultiheadAttention(768, 12, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(768),
            nn.Linear(768, 3072),
            QuickGelu(),
            nn.Linear(3072, 768),
        )

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 50, 768)
        attention = self.attention(attention, attention, attention, need_weights=False)[0]
        mixed = x + attention  # (N, 50, 768)
        del attention
        mlp = self.mlp(mixed)  # (N, 50, 768)
        return mixed + mlp


class Layer2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(512)
        self.attention = nn.MultiheadAttention(512, 8, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(512),
            nn.Linear(512, 2048),
            QuickGelu(),
            nn.Linear(2048, 512),
        )

    def forward(self, x: Tensor) -> Tensor:
        attention = self.norm(x)  # (N, 77, 512)
        attention = self.attention(
            attention,
            attention,
            attention,
            attn_mask=torch.ones(77, 77, dtype=torch.bool, device=attention.device).triu(1),
            is_causal=True,
            need_weights=False,
        )[0]  # (N, 77, 512)
        mixed = x + attention  # (N, 77, 512)
        del attention
        mlp = self.mlp(mixed)  # (N, 77, 512)
        return mixed + mlp


class CLIP(nn.Module):
    """Images and texts as vectors that are alike where they belong together: ViT-B/32 and a causal
    transformer (Radford et al. 2021, arXiv 2103.00020; the same as Hugging Face's CLIPModel). The
    logits compare every image of a batch with every text; its loss is their cross entropy with the
    diagonal.

    Inputs: image (N, 3, 224, 224), text (N, 77) int64. Outputs: logits_per_image (N, N),
    logits_per_text (N, N), image (N, 512), text (N, 512), scale ().

    image: RGB, normalised

    text: byte pair numbers, of which that of the text's end is the largest
    """

    def __init__(self) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(nn.init.normal_(torch.empty(1, 1, 768), std=0.02))
        self.patches = nn.Sequential(
            nn.Conv2d(3, 768, kernel_size=32, stride=32, bias=False),
            Rearrange(),
        )
        self.image_places = nn.Parameter(nn.init.normal_(torch.empty(50, 768), std=0.02))
        self.image_vec = nn.Sequential(
            nn.LayerNorm(768),
            nn.Sequential(*[Layer() for _ in range(12)]),
            Select(),
            nn.LayerNorm(768),
            nn.Linear(768, 512, bias=False),
            Normalize(),
        )
        self.words = nn.Embedding(49408, 512)
        self.text_places = nn.Parameter(nn.init.normal_(torch.empty(77, 512), std=0.01))
        self.text_states = nn.Sequential(
            nn.Sequential(*[Layer2() for _ in range(12)]),
            nn.LayerNorm(512),
        )
        self.text_vec = nn.Sequential(nn.Linear(512, 512, bias=False), Normalize())
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))

    def forward(self, *, image: Tensor, text: Tensor) -> dict[str, Tensor]:
        cls_token = self.cls_token.expand(image.shape[0], -1, -1)  # (N, 1, 768)
        patches = self.patches(image)  # (N, 49, 768)
        tokens = torch.cat((cls_token, patches), 1)  # (N, 50, 768)
        del cls_token, patches
        image_vec = tokens + self.image_places  # (N, 50, 768)
        del tokens
        image_vec = self.image_vec(image_vec)  # (N, 512)
        words = self.words(text)  # (N, 77, 512)
        text_states = words + self.text_places  # (N, 77, 512)
        del words
        text_states = self.text_states(text_states)  # (N, 77, 512)
        end = text.argmax(1)  # (N,)
        text_vec = text_states[torch.arange(text_states.shape[0], device=text_states.device), end]
        del text_states, end
        text_vec = self.text_vec(text_vec)  # (N, 512)
        scale = torch.exp(self.logit_scale)  # ()
        alike = image_vec @ text_vec.T  # (N, N)
        logits_per_image = scale * alike  # (N, N)
        del alike
        logits_per_text = logits_per_image.transpose(0, 1)  # (N, N)
        return {
            "logits_per_image": logits_per_image,
            "logits_per_text": logits_per_text,
            "image": image_vec,
            "text": text_vec,
            "scale": scale,
        }
