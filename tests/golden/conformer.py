import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (4, -1)).transpose(1, 2)


class Rearrange2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Rearrange3(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Pad(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, (1, 0))


class Reshape(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], 4, -1, x.shape[2])


class Slice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 1:]


class Slice2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, :, : x.shape[2]]


class LogicalNot(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return ~x


class Unsqueeze(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(self.dim)


class Feed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fed = nn.Sequential(
            nn.LayerNorm(144),
            nn.Linear(144, 576),
            nn.SiLU(),
            nn.Dropout(0.1),
            nn.Linear(576, 144),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor) -> Tensor:
        fed = self.fed(x)  # (N, (F - 3)//4, 144)
        return x + fed / 2


class Heads(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(144, 144), Rearrange())


class Convolve(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gated = nn.Sequential(nn.LayerNorm(144), nn.Linear(144, 288), nn.GLU())
        self.heard = nn.Sequential(
            Rearrange3(),
            nn.Conv1d(144, 144, kernel_size=31, padding=15, groups=144),
            nn.BatchNorm1d(144),
            nn.SiLU(),
            Rearrange3(),
            nn.Linear(144, 144),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor, unseen: Tensor) -> Tensor:
        gated = self.gated(x)  # (N, (F - 3)//4, 144)
        heard = gated.masked_fill(unseen, 0)  # (N, (F - 3)//4, 144)
        del gated
        heard = self.heard(heard)  # (N, (F - 3)//4, 144)
        return x + heard


class Attend(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(144)
        self.of = nn.ModuleDict({"query": Heads(), "key": Heads(), "value": Heads()})
        self.distance = nn.Linear(144, 144, bias=False)
        self.u = nn.Parameter(torch.zeros(4, 1, 36))
        self.v = nn.Parameter(torch.zeros(4, 1, 36))
        self.bias = nn.Sequential(Pad(), Reshape(), Slice(), Reshape(), Slice2())
        self.mixed = nn.Sequential(Rearrange2(), nn.Linear(144, 144), nn.Dropout(0.1))

    def forward(self, x: Tensor, waves: Tensor, seen: Tensor) -> Tensor:
        norm = self.norm(x)  # (N, (F - 3)//4, 144)
        of_query = self.of["query"](norm)  # (N, 4, (F - 3)//4, 36)
        of_key = self.of["key"](norm)  # (N, 4, (F - 3)//4, 36)
        of_value = self.of["value"](norm)  # (N, 4, (F - 3)//4, 36)
        del norm
        distances = self.distance(waves)  # (2*((F + 1)//4) - 3, 144)
        distances = distances.unflatten(1, (4, -1)).transpose(0, 1)  # (4, 2*((F + 1)//4) - 3, 36)
        query = of_query + self.u  # (N, 4, (F - 3)//4, 36)
        placed = (of_query + self.v) / 6.0  # (N, 4, (F - 3)//4, 36)
        del of_query
        bias = torch.einsum("nhqd,hpd->nhqp", placed, distances)
        del placed, distances
        bias = self.bias(bias)  # (N, 4, (F - 3)//4, (F - 3)//4)
        mixed = F.scaled_dot_product_attention(
            query,
            of_key,
            of_value,
            attn_mask=bias.masked_fill(~seen[:, None, None], float("-inf")),
            dropout_p=0.1 if self.training else 0.0,
        )  # (N, 4, (F - 3)//4, 36)
        del query, of_key, of_value, bias
        mixed = self.mixed(mixed)  # (N, (F - 3)//4, 144)
        return x + mixed


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fed = Feed()
        self.attended = Attend()
        self.heard = Convolve()
        self.last = Feed()
        self.out = nn.LayerNorm(144)

    def forward(self, x: Tensor, waves: Tensor, seen: Tensor, unseen: Tensor) -> Tensor:
        fed = self.fed(x)  # (N, (F - 3)//4, 144)
        attended = self.attended(fed, waves, seen)  # (N, (F - 3)//4, 144)
        del fed
        last = self.heard(attended, unseen)  # (N, (F - 3)//4, 144)
        del attended
        last = self.last(last)  # (N, (F - 3)//4, 144)
        return self.out(last)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.unseen = nn.Sequential(LogicalNot(), Unsqueeze(2))
        self.out = nn.ModuleList([Layer() for _ in range(16)])

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        row = torch.arange(2 * x.shape[1] - 1, device=x.device)  # (2*((F + 1)//4) - 3,)
        row = row.unsqueeze(1)  # (2*((F + 1)//4) - 3, 1)
        i = torch.arange(144, device=x.device)  # (144,)
        waves = torch.sin(
            (x.shape[1] - 1 - row) / 10000 ** (i // 2 * 2 / 144) + i % 2 * torch.pi / 2
        ).to(self.out[0].attended.u.dtype)  # (2*((F + 1)//4) - 3, 144)
        del row, i
        seen = torch.arange(x.shape[1], device=steps.device) < steps[:, None]  # (N, (F - 3)//4)
        unseen = self.unseen(seen)  # (N, (F - 3)//4, 1)
        out = x
        for layer in self.out:
            out = layer(out, waves, seen, unseen)  # (N, (F - 3)//4, 144)
        del waves, seen, unseen
        return out


class Conformer(nn.Module):
    """Speech to text by CTC: attention to all frames, by what they hold and how far they are, and a
    convolution of those nearby (Gulati et al. 2020, arXiv 2005.08100, its encoder S; a kernel of 31
    keeps the length, where 32 would not).

    Inputs: frames (N, F, 80), length (N,) int64. Outputs: logp ((F - 3)//4, N, 1024), steps (N,).
    At run time F >= 7.

    frames: logarithms of mel filters

    length: the number of frames
    """

    def __init__(self) -> None:
        super().__init__()
        self.quarter = nn.Sequential(
            Unsqueeze(1),
            nn.Conv2d(1, 144, kernel_size=3, stride=2),
            nn.ReLU(),
            nn.Conv2d(144, 144, kernel_size=3, stride=2),
            nn.ReLU(),
            Rearrange2(),
            nn.Linear(2736, 144),
            nn.Dropout(0.1),
        )
        self.states = Encoder()
        self.logp = nn.Sequential(nn.Linear(144, 1024), nn.LogSoftmax(dim=-1))

    def forward(self, *, frames: Tensor, length: Tensor) -> dict[str, Tensor]:
        quarter = self.quarter(frames)  # (N, (F - 3)//4, 144)
        steps = ((length - 1) // 2 - 1) // 2  # (N,)
        logp = self.states(quarter, steps)  # (N, (F - 3)//4, 144)
        del quarter
        logp = self.logp(logp)  # (N, (F - 3)//4, 1024)
        return {"logp": logp.transpose(0, 1), "steps": steps}
