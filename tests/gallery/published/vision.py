"""References of models that see images, video or points."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.ops import MultiScaleRoIAlign, clip_boxes_to_image

from tests.gallery.published import Inputs, reference


class MixerLayer(nn.Module):
    """Tolstikhin et al. 2021, equation 1."""

    def __init__(self, tokens: int, width: int, token_width: int, channel_width: int) -> None:
        super().__init__()
        self.tokens = nn.Sequential()
        for key, layer in (
            ("0", nn.LayerNorm(width)),
            ("2", nn.Linear(tokens, token_width)),
            ("3", nn.GELU()),
            ("4", nn.Linear(token_width, tokens)),
        ):
            self.tokens.add_module(key, layer)
        self.channels = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, channel_width),
            nn.GELU(),
            nn.Linear(channel_width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        norm, *mlp = self.tokens
        mixed = norm(x).mT
        for layer in mlp:
            mixed = layer(mixed)
        x = x + mixed.mT
        return x + self.channels(x)


@reference("mlp_mixer", width=16, depth=2, token_width=12, channel_width=24, classes=5)
class MLPMixer(nn.Module):
    def __init__(
        self, width: int, depth: int, token_width: int, channel_width: int, classes: int
    ) -> None:
        super().__init__()
        self.patches = nn.Sequential(nn.Conv2d(3, width, 16, 16))
        layers = [MixerLayer(196, width, token_width, channel_width) for _ in range(depth)]
        self.logits = nn.Module()
        for key, layer in (
            ("0", nn.Sequential(*layers)),
            ("1", nn.LayerNorm(width)),
            ("3", nn.Linear(width, classes)),
        ):
            self.logits.add_module(key, layer)

    def forward(self, image: Tensor) -> Tensor:
        layers, norm, head = self.logits.children()
        x = self.patches(image).flatten(2).mT
        return head(norm(layers(x)).mean(1))


@reference("sngan", width=4)
def sngan(width: int) -> nn.Module:
    norm = nn.utils.parametrizations.spectral_norm

    def conv(before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
        return [norm(nn.Conv2d(before, after, kernel, stride, 1)), nn.LeakyReLU(0.1)]

    pairs, channels = [], 3
    for wide in (width, 2 * width, 4 * width):
        pairs.append(nn.Sequential(*conv(channels, wide, 3), *conv(wide, 2 * wide, 4, 2)))
        channels = 2 * wide
    head = norm(nn.Linear(channels * 16, 1))
    score = nn.Sequential(nn.Sequential(*pairs), *conv(channels, channels, 3), nn.Flatten(), head)
    return Named("score", score)


class Named(nn.Module):
    """Run a module under the name that it has in the spec."""

    def __init__(self, name: str, module: nn.Module) -> None:
        super().__init__()
        self.add_module(name, module)

    def forward(self, *inputs: Tensor) -> Tensor:
        (module,) = self.children()
        return module(*inputs)


@reference("spatial_transformer", classes=5)
class SpatialTransformer(nn.Module):
    """Jaderberg et al. 2015, with a loop over the places of the grid in place of grid_sample."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.place = nn.Sequential(
            *(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(90, 32), nn.ReLU(), nn.Linear(32, 6)),
        )
        self.logits = nn.Sequential(
            *(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Conv2d(10, 20, 5), nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(320, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, classes)),
        )

    def forward(self, image: Tensor) -> Tensor:
        theta = self.place(image).view(-1, 2, 3)
        centres = (torch.arange(28) * 2 + 1) / 28 - 1  # of pixels, from -1 to 1
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        places = torch.stack((x, y, torch.ones(28, 28)), -1) @ theta.mT[:, None]
        return self.logits(bilinear(image, ((places + 1) * 28 - 1) / 2))


def bilinear(image: Tensor, places: Tensor) -> Tensor:
    """Return the pixels at places (x, y), between four neighbours; outside of the picture is zero."""
    low = places.floor().long()
    samples = torch.zeros(len(image), 1, *places.shape[1:3])
    for right in (0, 1):
        for down in (0, 1):
            x, y = low[..., 0] + right, low[..., 1] + down
            inside = (x >= 0) & (x < 28) & (y >= 0) & (y < 28)
            batch = torch.arange(len(image))[:, None, None]
            pixels = image[batch, 0, y.clamp(0, 27), x.clamp(0, 27)] * inside
            weight = (1 - (places[..., 0] - x).abs()) * (1 - (places[..., 1] - y).abs())
            samples[:, 0] += weight * pixels
    return samples


class Spectral(nn.Module):
    """Li et al. 2020, section 4, as the sums of the Fourier transform and of its inverse."""

    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.empty(width, width, modes, 2))

    def forward(self, x: Tensor) -> Tensor:
        places = torch.arange(x.shape[2])
        weights = torch.view_as_complex(self.weights)
        angles = 2 * torch.pi * places[:, None] * torch.arange(weights.shape[2]) / len(places)
        waves = torch.exp(1j * angles)  # (X, modes)
        mixed = torch.einsum("ncx,xk,cdk->ndk", x + 0j, waves.conj(), weights)
        doubled = torch.tensor([1, *(len(waves.T) - 1) * [2]])  # the mirrored half
        return (mixed.unsqueeze(2) * waves * doubled).sum(-1).real / len(places)


class FourierLayer(nn.Module):
    def __init__(self, width: int, modes: int, activation: nn.Module) -> None:
        super().__init__()
        self.spectral, self.local = Spectral(width, modes), nn.Conv1d(width, width, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.spectral(x) + self.local(x))


@reference("fno", width=6, modes=3, depth=3, sizes={"X": 11})
class FNO(nn.Module):
    def __init__(self, width: int, modes: int, depth: int) -> None:
        super().__init__()
        self.lifted = nn.Sequential(nn.Linear(2, width))
        first = [FourierLayer(width, modes, nn.GELU()) for _ in range(depth - 1)]
        last = FourierLayer(width, modes, nn.Identity())
        self.layers = nn.Sequential(nn.Sequential(*first), last)
        self.solution = nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, 1))

    def forward(self, u: Tensor) -> Tensor:
        return self.solution(self.layers(self.lifted(u).mT).mT)


@reference("lrcn", classes=5, fc=12, hidden=6, sizes={"T": 2})
class LRCN(nn.Module):
    """Donahue et al. 2014, frame by frame."""

    def __init__(self, classes: int, fc: int, hidden: int) -> None:
        super().__init__()
        self.frames = nn.Sequential(
            *(nn.Conv2d(3, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5)),
            *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            nn.LocalResponseNorm(5),
            *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
            *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Flatten(), nn.Linear(9216, fc), nn.ReLU(), nn.Dropout(0.9)),
        )
        self.lstm = nn.LSTM(fc, hidden, batch_first=True)
        self.guesses = nn.ModuleDict({"1": nn.Linear(hidden, classes)})

    def forward(self, video: Tensor) -> Tensor:
        frames = torch.stack([self.frames(frame) for frame in video.unbind(1)], 1)
        states, _ = self.lstm(frames)
        return self.guesses["1"](states).softmax(-1).mean(1)


@reference("crnn", classes=7, hidden=8, sizes={"W": 24})
class CRNN(nn.Module):
    """Shi et al. 2015, table 1; sequences are time-first, as in the authors' code."""

    def __init__(self, classes: int, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for index, width in enumerate((64, 128, 256, 256, 512, 512)):
            conv = nn.Conv2d(before, width, 3, padding=1)
            norm = [nn.BatchNorm2d(width)] if width == 512 else []
            layers.append(nn.Sequential(conv, *norm, nn.ReLU()))
            if index < 2:
                layers.append(nn.MaxPool2d(2))
            if index in (3, 5):
                layers.append(nn.MaxPool2d((2, 1)))
            before = width
        self.columns = nn.Sequential(*layers, nn.Conv2d(512, 512, 2), nn.ReLU())
        self.first = nn.LSTM(512, hidden, bidirectional=True)
        self.joined = nn.Linear(2 * hidden, hidden)
        self.second = nn.LSTM(hidden, hidden, bidirectional=True)
        self.log_probs = nn.Sequential(nn.Linear(2 * hidden, classes))

    def forward(self, line: Tensor) -> Tensor:
        x = self.columns(line).squeeze(2).permute(2, 0, 1)
        x = self.joined(self.first(x)[0])
        return self.log_probs(self.second(x)[0]).log_softmax(-1)


def _boxes(inputs: Inputs) -> Inputs:
    """Return boxes of all sizes, so that each level of the pyramid has some."""
    size = torch.tensor([20.0, 90.0, 180.0, 300.0, 440.0]) * torch.ones(3, 1)
    centre = torch.rand(3, 5, 2) * 400
    sides = torch.stack((size, size * (0.7 + 0.6 * torch.rand(3, 5))), -1)
    return inputs | {"boxes": torch.cat((centre - sides / 2, centre + sides / 2), -1)}


@reference(
    "faster_rcnn_head",
    prepare=_boxes,
    classes=5,
    channels=3,
    hidden=8,
    height=448,
    width=512,
)
class FasterRCNNHead(nn.Module):
    """torchvision's head, with its steps after the network up to non-maximum suppression."""

    def __init__(self, classes: int, channels: int, hidden: int, height: int, width: int) -> None:
        super().__init__()
        self.size = (height, width)
        self.pool = MultiScaleRoIAlign(list("2345"), output_size=7, sampling_ratio=2)
        self.head = TwoMLPHead(channels * 49, hidden)
        self.predictor = FastRCNNPredictor(hidden, classes)
        self.coder = BoxCoder((10.0, 10.0, 5.0, 5.0))

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        *levels, boxes = inputs
        pyramid = dict(zip("2345", levels, strict=True))
        crops = self.pool(pyramid, list(boxes), len(boxes) * [self.size])
        logits, offsets = self.predictor(self.head(crops))
        places = clip_boxes_to_image(self.coder.decode(offsets, list(boxes)), self.size)
        scores = logits.softmax(-1)
        results = (logits, offsets, scores[:, 1:], places[:, 1:])
        logits, offsets, scores, places = (x.unflatten(0, boxes.shape[:2]) for x in results)
        return logits, offsets, scores, places
