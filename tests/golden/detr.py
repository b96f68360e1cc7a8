import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class LogicalNot(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return ~x


class LogicalNot2(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.logical_not()


class Cast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.like = nn.Buffer(torch.empty(0, device="cpu"), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.to(self.like.dtype)


class Unsqueeze(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1)


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
            torchvision.ops.FrozenBatchNorm2d(width),
        )


class Waves(nn.Module):
    def forward(self, seen: Tensor) -> Tensor:
        place = seen.cumsum(2)  # (N, 1, (H + 31)//32, (W + 31)//32)
        last = place[:, :, -1:]  # (N, 1, 1, (W + 31)//32)
        i = torch.arange(128, device=seen.device)  # (128,)
        i = i.unsqueeze(1).unsqueeze(2)  # (128, 1, 1)
        return torch.sin(
            place / (last + 1e-06) * 2 * torch.pi / (10000 ** (i // 2 * 4 / 256)).to(place.dtype)
            + (i % 2 * torch.pi / 2).to(place.dtype)
        )


class Waves2(nn.Module):
    def forward(self, seen: Tensor) -> Tensor:
        place = seen.cumsum(3)  # (N, 1, (H + 31)//32, (W + 31)//32)
        last = place[:, :, :, -1:]  # (N, 1, (H + 31)//32, 1)
        i = torch.arange(128, device=seen.device)  # (128,)
        i = i.unsqueeze(1).unsqueeze(2)  # (128, 1, 1)
        return torch.sin(
            place / (last + 1e-06) * 2 * torch.pi / (10000 ** (i // 2 * 4 / 256)).to(place.dtype)
            + (i % 2 * torch.pi / 2).to(place.dtype)
        )


class Join(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kept = nn.Dropout(0.1)
        self.out = nn.LayerNorm(256)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        kept = self.kept(y)
        sum = x + kept
        del kept
        return self.out(sum)


class Bottleneck(nn.Sequential):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__(
            Conv(in_channels, width=width),
            nn.ReLU(),
            Conv(width, width=width, kernel=3, stride=stride),
            nn.ReLU(),
            Conv(width, width=4 * width),
        )


class Feed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fed = nn.Sequential(
            nn.Linear(256, 2048),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(2048, 256),
        )
        self.out = Join()

    def forward(self, x: Tensor) -> Tensor:
        fed = self.fed(x)
        return self.out(x, fed)


class Residual(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.body = Bottleneck(in_channels, width=in_channels // 4)

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        return F.relu(body + x, inplace=True)


class Encode(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(256, 8, dropout=0.1, batch_first=True)
        self.mixed = Join()
        self.out = Feed()

    def forward(self, x: Tensor, places: Tensor, unseen: Tensor) -> Tensor:
        attention = x + places  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        attention = self.attention(
            attention,
            attention,
            x,
            key_padding_mask=unseen,
            need_weights=False,
        )[0]  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        mixed = self.mixed(x, attention)  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        del attention
        return self.out(mixed)


class Decode(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(256, 8, dropout=0.1, batch_first=True)
        self.mixed = Join()
        self.cross = nn.MultiheadAttention(256, 8, dropout=0.1, batch_first=True)
        self.read = Join()
        self.out = Feed()

    def forward(
        self,
        x: Tensor,
        queries: Tensor,
        memory: Tensor,
        places: Tensor,
        unseen: Tensor,
    ) -> Tensor:
        attention = x + queries  # (N, 100, 256)
        placed = memory + places  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        attention = self.attention(attention, attention, x, need_weights=False)[0]  # (N, 100, 256)
        mixed = self.mixed(x, attention)  # (N, 100, 256)
        del attention
        looking = mixed + queries  # (N, 100, 256)
        cross = self.cross(looking, placed, memory, key_padding_mask=unseen, need_weights=False)[0]
        del looking, placed
        read = self.read(mixed, cross)  # (N, 100, 256)
        del mixed, cross
        return self.out(read)


class Stage(nn.Module):
    def __init__(self, in_channels: int, width: int, more: int, stride: int = 2) -> None:
        super().__init__()
        self.shortcut = Conv(in_channels, width=4 * width, stride=stride)
        self.body = Bottleneck(in_channels, width=width, stride=stride)
        self.out = nn.Sequential(*[Residual(4 * width) for _ in range(more)])

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.shortcut(x)
        body = self.body(x)
        sum = F.relu(body + shortcut, inplace=True)
        del body, shortcut
        return self.out(sum)


class DETR(nn.Module):
    """Objects in an image as a set, one or none for each query (Carion et al. 2020, arXiv
    2005.12872, with a ResNet-50; the same as Hugging Face's DetrForObjectDetection). In training
    the results of all layers are given, too.

    Inputs: image (N, 3, H, W), padding (N, H, W) bool. Outputs: logits (N, 100, 92),
    boxes (N, 100, 4), all_logits (N, 6, 100, 92) (in training), all_boxes (N, 6, 100, 4)
    (in training).

    image: RGB, normalised

    padding: true beside the image
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Conv(3, width=64, kernel=7, stride=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            Stage(64, width=64, more=2, stride=1),
            Stage(256, width=128, more=3),
            Stage(512, width=256, more=5),
            Stage(1024, width=512, more=2),
        )
        self.tokens = nn.Sequential(nn.Conv2d(2048, 256, kernel_size=1), Rearrange())
        self.visible = nn.Sequential(LogicalNot(), Cast(), Unsqueeze())
        self.unseen = nn.Sequential(nn.Flatten(), LogicalNot2())
        self.waves = nn.ModuleDict({"y": Waves(), "x": Waves2()})
        self.memory = nn.ModuleList([Encode() for _ in range(6)])
        self.queries = nn.Parameter(nn.init.normal_(torch.empty(100, 256), std=1.0))
        self.decoded = nn.ModuleList([Decode() for _ in range(6)])
        self.states = nn.LayerNorm(256)
        self.logits = nn.Linear(256, 92)
        self.boxes = nn.Sequential(
            nn.Linear(256, 256),
            nn.ReLU(),
            nn.Linear(256, 256),
            nn.ReLU(),
            nn.Linear(256, 4),
            nn.Sigmoid(),
        )

    def forward(self, *, image: Tensor, padding: Tensor) -> dict[str, Tensor]:
        features = self.features(image)  # (N, 2048, (H + 31)//32, (W + 31)//32)
        memory = self.tokens(features)  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        visible = self.visible(padding)  # (N, 1, H, W)
        seen = F.interpolate(visible, size=features.shape[2:])  # (N, 1, (H + 31)//32, (W + 31)//32)
        del visible, features
        unseen = self.unseen(seen)  # (N, ((H + 31)//32)*((W + 31)//32))
        waves_y = self.waves["y"](seen)  # (N, 128, (H + 31)//32, (W + 31)//32)
        waves_x = self.waves["x"](seen)  # (N, 128, (H + 31)//32, (W + 31)//32)
        del seen
        places = torch.cat((waves_y, waves_x), 1)  # (N, 256, (H + 31)//32, (W + 31)//32)
        del waves_y, waves_x
        places = places.flatten(2).transpose(1, 2)  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        for layer in self.memory:
            memory = layer(memory, places, unseen)  # (N, ((H + 31)//32)*((W + 31)//32), 256)
        decoded = image.new_zeros(image.shape[0], 100, 256)  # (N, 100, 256)
        steps = []
        for layer in self.decoded:
            decoded = layer(decoded, self.queries, memory, places, unseen)  # (N, 100, 256)
            steps.append(decoded)
        del memory, places, unseen
        states = torch.stack(steps, 1)  # (N, 6, 100, 256)
        del steps, decoded
        states = self.states(states)  # (N, 6, 100, 256)
        if self.training:
            all_logits = self.logits(states)  # (N, 6, 100, 92)
            all_boxes = self.boxes(states)  # (N, 6, 100, 4)
        found = states.select(1, -1)  # (N, 100, 256)
        del states
        logits = self.logits(found)  # (N, 100, 92)
        boxes = self.boxes(found)  # (N, 100, 4)
        del found
        if self.training:
            return {
                "logits": logits,
                "boxes": boxes,
                "all_logits": all_logits,
                "all_boxes": all_boxes,
            }
        return {"logits": logits, "boxes": boxes}
