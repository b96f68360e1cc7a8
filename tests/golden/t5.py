import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Cast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.to(torch.int64)


class Permute(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(2, 0, 1)


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (8, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Distance(nn.Module):
    def __init__(self, value: float, near: int) -> None:
        super().__init__()
        self.near = near
        self.value = value
        self.bias = nn.Sequential(Cast(), nn.Embedding(32, 8), Permute())

    def forward(self, x: Tensor, hidden: Tensor) -> Tensor:
        key_step = torch.arange(x.shape[1], device=x.device)
        query_step = key_step.unsqueeze(1)
        ahead = key_step - query_step
        del key_step, query_step
        far = torch.floor(
            self.near * (1 + torch.log(torch.abs(ahead) / self.near) / self.value)
        ).to(self.bias[1].weight.dtype)
        bias = torch.where(
            torch.abs(ahead) < self.near,
            torch.abs(ahead),
            far.clamp(max=2 * self.near - 1),
        ) + torch.where(ahead > 0, 32 - 2 * self.near, 0)
        del ahead, far
        bias = self.bias(bias)
        return bias.masked_fill(hidden, float("-inf"))


class Split(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(Rearrange())


class Feed(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.RMSNorm(512, eps=1e-06),
            nn.Linear(512, 2048, bias=False),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(2048, 512, bias=False),
            nn.Dropout(0.1),
        )


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {
                "query": nn.Sequential(nn.Linear(512, 512, bias=False), Split()),
                "key": nn.Sequential(nn.Linear(512, 512, bias=False), Split()),
                "value": nn.Sequential(nn.Linear(512, 512, bias=False), Split()),
            }
        )
        self.out = nn.Sequential(Rearrange2(), nn.Linear(512, 512, bias=False), nn.Dropout(0.1))

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor) -> Tensor:
        seen = F.scaled_dot_product_attention(
            self.heads["query"](x),
            self.heads["key"](memory),
            self.heads["value"](memory),
            attn_mask=bias,
            dropout_p=0.1 if self.training else 0.0,
            scale=1.0,
        )
        return self.out(seen)


class Read(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(512, eps=1e-06)
        self.attended = Attend()
        self.fed = Feed()

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, S, 512)
        attended = self.attended(norm, norm, bias)  # (N, S, 512)
        del norm
        mixed = x + attended  # (N, S, 512)
        del attended
        fed = self.fed(mixed)  # (N, S, 512)
        return mixed + fed


class Write(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(512, eps=1e-06)
        self.attended = Attend()
        self.cross_norm = nn.RMSNorm(512, eps=1e-06)
        self.crossed = Attend()
        self.fed = Feed()

    def forward(self, x: Tensor, bias: Tensor, memory: Tensor, unseen: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, T, 512)
        attended = self.attended(norm, norm, bias)  # (N, T, 512)
        del norm
        mixed = x + attended  # (N, T, 512)
        del attended
        cross_norm = self.cross_norm(mixed)  # (N, T, 512)
        crossed = self.crossed(cross_norm, memory, unseen)  # (N, T, 512)
        del cross_norm
        joined = mixed + crossed  # (N, T, 512)
        del mixed, crossed
        fed = self.fed(joined)  # (N, T, 512)
        return joined + fed


class T5(nn.Module):
    """T5-small: an encoder and a decoder whose attention depends on how far apart two tokens are
    (Raffel et al. 2019, arXiv 1910.10683; the same as Hugging Face's T5ForConditionalGeneration).
    One embedding reads and writes.

    Inputs: source (N, S) int64, padding (N, S) bool, target (N, T) int64. Output:
    logits (N, T, 32128).

    source: SentencePiece numbers of the text to read

    padding: true where the source has no token

    target: the text to write, a step late
    """

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Sequential(nn.Embedding(32128, 512), nn.Dropout(0.1))
        self.bias = Distance(2.772588722239781, near=8)
        self.target_bias = Distance(2.0794415416798357, near=16)
        self.read = nn.ModuleList([Read() for _ in range(6)])
        self.memory = nn.Sequential(nn.RMSNorm(512, eps=1e-06), nn.Dropout(0.1))
        self.written = nn.ModuleList([Write() for _ in range(6)])
        self.states = nn.Sequential(nn.RMSNorm(512, eps=1e-06), nn.Dropout(0.1))

    def forward(self, *, source: Tensor, padding: Tensor, target: Tensor) -> Tensor:
        words = self.words(source)  # (N, S, 512)
        target_words = self.words(target)  # (N, T, 512)
        unseen = padding.unsqueeze(1).unsqueeze(2)  # (N, 1, 1, S)
        unseen_bias = torch.where(unseen, -1000000000.0, 0.0).to(self.words[0].weight.dtype)
        later = torch.ones(
            target.shape[1],
            target.shape[1],
            dtype=torch.bool,
            device=target.device,
        ).triu(1)  # (T, T)
        bias = self.bias(words, unseen)  # (N, 8, S, S)
        del unseen
        target_bias = self.target_bias(target_words, later)  # (8, T, T)
        del later
        read = words
        del words
        for layer in self.read:
            read = layer(read, bias)  # (N, S, 512)
        del bias
        memory = self.memory(read)  # (N, S, 512)
        del read
        written = target_words
        del target_words
        for layer in self.written:
            written = layer(written, target_bias, memory, unseen_bias)  # (N, T, 512)
        del target_bias, memory, unseen_bias
        scaled = self.states(written)  # (N, T, 512)
        del written
        scaled = scaled / 512**0.5  # (N, T, 512)
        return F.linear(scaled, self.words[0].weight)
