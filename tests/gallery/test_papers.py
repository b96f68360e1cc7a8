"""Models of several modalities equal the formulas of their papers in plain torch.

The classes take the spec's params and name their weights as the spec does; weights are
compared at the real size, outputs at a small one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mimgraph.cost.choose_sizes import choose_sizes
from mimgraph.runtime.runner import seeded_inputs
from tests.gallery import gallery, on_meta, randomise
from tests.gallery.agreement import hold


class Case(NamedTuple):
    reference: type[nn.Module]
    small: Mapping[str, int]


CASES: dict[str, Case] = {}


def paper(spec: str, **small: int) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Register the decorated class as the paper's formulas for a spec, with params for quick outputs."""

    def register(reference: type[nn.Module]) -> type[nn.Module]:
        CASES[spec] = Case(reference, small)
        return reference

    return register


def final(lstm: nn.Module, x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return the state after the last step of each sample, each read by itself."""
    ends = [x.shape[1]] * len(x) if lengths is None else lengths.tolist()
    return torch.cat([lstm(x[i : i + 1, :end])[1][0][-1] for i, end in enumerate(ends)])


def classifier(width: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes)
    )


@paper("early_fusion", hidden=8)
class EarlyFusion(nn.Module):
    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.lstm = nn.LSTM(409, hidden, batch_first=True)
        self.sentiment = classifier(hidden, hidden, 1, 0.2)

    def forward(self, text: Tensor, audio: Tensor, video: Tensor, length: Tensor) -> Tensor:
        return self.sentiment(final(self.lstm, torch.cat((text, audio, video), 2), length))


@paper("late_fusion", hidden=8)
class LateFusion(nn.Module):
    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        widths = {"text": 300, "audio": 74, "video": 35}
        self.lstm = nn.ModuleDict(
            {name: nn.LSTM(width, hidden, batch_first=True) for name, width in widths.items()}
        )
        self.sentiment = classifier(3 * hidden, hidden, 1, 0.2)

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        modalities = zip(self.lstm.values(), (text, audio, video), strict=True)
        return self.sentiment(torch.cat([final(lstm, x) for lstm, x in modalities], 1))


class Maxout(nn.Sequential):
    """Return the larger of two affine maps, feature by feature."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(width, 2 * width))

    def forward(self, x: Tensor) -> Tensor:
        one, other = super().forward(x).chunk(2, 1)
        return torch.maximum(one, other)


@paper("gated_fusion", hidden=8)
class GatedFusion(nn.Module):
    """Arevalo et al. 2017, equations 1 to 4."""

    def __init__(self, hidden: int = 512) -> None:
        super().__init__()
        self.poster_norm = nn.BatchNorm1d(4096)
        self.plot_norm = nn.BatchNorm1d(300)
        self.fused = nn.ModuleDict(
            {
                "hidden0": nn.Linear(4096, hidden, bias=False),
                "hidden1": nn.Linear(300, hidden, bias=False),
                "gate": nn.Linear(4396, hidden, bias=False),
            }
        )
        norms = nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)
        maxouts = Maxout(hidden), Maxout(hidden)
        self.logits = nn.Sequential(
            norms[0], maxouts[0], norms[1], nn.Dropout(0.5), maxouts[1], nn.Linear(hidden, 23)
        )

    def forward(self, poster: Tensor, plot: Tensor) -> Tensor:
        v, t = self.poster_norm(poster), self.plot_norm(plot)
        h_v, h_t = self.fused["hidden0"](v).tanh(), self.fused["hidden1"](t).tanh()
        z = self.fused["gate"](torch.cat((v, t), 1)).sigmoid()
        return self.logits(z * h_v + (1 - z) * h_t)


class SubNetworks(nn.Module):
    """Return a vector of each modality, as TFN and LMF make them."""

    def __init__(self, hidden: int, text_width: int, dropout: float) -> None:
        super().__init__()
        lstm = nn.LSTM(300, hidden, batch_first=True)
        self.text_vec = nn.ModuleList([lstm, nn.Dropout(dropout), nn.Linear(hidden, text_width)])
        subnets = {"audio": self.subnet(74, dropout), "video": self.subnet(35, dropout)}
        self.vec = nn.ModuleDict(subnets)

    @staticmethod
    def subnet(width: int, dropout: float) -> nn.Sequential:
        chain: list[nn.Module] = [nn.BatchNorm1d(width), nn.Dropout(dropout)]
        for size in (width, 32, 32):
            chain += [nn.Linear(size, 32), nn.ReLU()]
        return nn.Sequential(*chain)

    def tensor(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        """[1; text] x [1; audio] x [1; video], as the authors of TFN compute it."""
        lstm, drop, linear = self.text_vec
        vectors = (
            linear(drop(final(lstm, text))),
            self.vec["audio"](audio),
            self.vec["video"](video),
        )
        t, a, v = (F.pad(x, (1, 0), value=1) for x in vectors)
        pairs = torch.bmm(t.unsqueeze(2), a.unsqueeze(1)).flatten(1)
        return torch.bmm(pairs.unsqueeze(2), v.unsqueeze(1)).flatten(1)


@paper("tensor_fusion", hidden=16)
class TensorFusion(SubNetworks):
    def __init__(self, hidden: int = 128) -> None:
        super().__init__(hidden, hidden, 0.2)
        self.sentiment = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear((hidden + 1) * 33 * 33, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
            nn.Sigmoid(),
        )

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        return self.sentiment(self.tensor(text, audio, video))


@paper("low_rank_fusion", hidden=16, text=8)
class LowRankFusion(SubNetworks):
    """Return the weight of the whole tensor from its factors (Liu et al. 2018, equation 5)."""

    def __init__(self, hidden: int = 128, text: int = 64, rank: int = 4) -> None:
        super().__init__(hidden, text, 0.15)
        widths = {"factor0": text, "factor1": 32, "factor2": 32}
        self.sentiment = nn.ModuleDict({k: nn.Linear(w, rank) for k, w in widths.items()})

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        factors = [torch.cat((m.bias[:, None], m.weight), 1) for m in self.sentiment.values()]
        weight = torch.einsum("rt,ra,rv->tav", *factors).flatten()
        return self.tensor(text, audio, video) @ weight[:, None]


class Look(nn.Module):
    def __init__(self, width: int, attended: int) -> None:
        super().__init__()
        self.query_proj = nn.Linear(width, attended)
        self.region_proj = nn.Linear(width, attended, bias=False)
        self.weights = nn.Sequential(nn.Dropout(0.5), nn.Linear(attended, 1))

    def forward(self, query: Tensor, regions: Tensor) -> Tensor:
        hidden = torch.tanh(self.region_proj(regions) + self.query_proj(query)[:, None])
        weights = self.weights(hidden).softmax(1)
        return (weights * regions).sum(1) + query


@paper("vqa_attention", hidden=16, attended=12, answers=7)
class StackedAttention(nn.Module):
    """Yang et al. 2016, equations 13 to 22."""

    def __init__(self, hidden: int = 1024, attended: int = 512, answers: int = 3000) -> None:
        super().__init__()
        self.places = nn.Sequential(nn.Identity(), nn.Linear(512, hidden), nn.Tanh())
        self.words = nn.Embedding(14000, 500)
        self.lstm = nn.LSTM(500, hidden, batch_first=True)
        self.refined = nn.ModuleList([Look(hidden, attended) for _ in range(2)])
        self.logits = nn.Sequential(nn.Dropout(0.5), nn.Linear(hidden, answers))

    def forward(self, regions: Tensor, question: Tensor, length: Tensor) -> Tensor:
        places = self.places(regions.reshape(len(regions), 512, 196).mT)
        query = final(self.lstm, self.words(question), length)
        for look in self.refined:
            query = look(query, places)
        return self.logits(query)


def both_ways(width: int, hidden: int) -> nn.LSTM:
    return nn.LSTM(width, hidden, batch_first=True, bidirectional=True)


def steps(lstm: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    """Return the output of each sample read by itself, zero after its end."""
    outputs = torch.zeros(*x.shape[:2], 2 * lstm.hidden_size)
    for i, end in enumerate(lengths.tolist()):
        outputs[i, :end] = lstm(x[i : i + 1, :end])[0][0]
    return outputs


@paper("audio_text_emotion", hidden=8, words=20)
class AudioTextEmotion(nn.Module):
    """Xu et al. 2019, section 2."""

    def __init__(self, hidden: int = 128, words: int = 10_000) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(
            nn.Identity(), self.conv(1, 16), self.conv(16, 32), nn.Identity()
        )
        self.sound = both_ways(256, hidden)
        self.words = nn.Embedding(words, 300)
        self.speech = both_ways(300, hidden)
        self.aligned = nn.MultiheadAttention(2 * hidden, 1, batch_first=True)
        self.fused = both_ways(4 * hidden, hidden)
        self.logits = classifier(2 * hidden, hidden, 4, 0.3)

    @staticmethod
    def conv(channels: int, width: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(channels, width, (5, 3), padding=(2, 1)),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d((1, 4)),
        )

    def forward(self, audio: Tensor, frames: Tensor, text: Tensor, length: Tensor) -> Tensor:
        maps = self.spectrum(audio[:, None])
        sound = steps(self.sound, maps.transpose(1, 2).flatten(2), frames)
        speech = steps(self.speech, self.words(text), length)
        pooled = []
        for s, w, end, last in zip(sound, speech, frames.tolist(), length.tolist(), strict=True):
            heard, spoken = s[None, :end], w[None, :last]
            both = torch.cat((spoken, self.aligned(spoken, heard, heard)[0]), 2)
            pooled.append(self.fused(both)[0].amax(1))
        return self.logits(torch.cat(pooled))


@paper("seq2seq_attention", width=16, depth=2, vocab=30)
class Seq2SeqAttention(nn.Module):
    """Luong et al. 2015, equations 5 to 8, one step of the decoder after the other."""

    def __init__(self, width: int = 1000, depth: int = 4, vocab: int = 50_000) -> None:
        super().__init__()
        self.source_words = nn.Sequential(nn.Embedding(vocab, width))
        self.encoder = nn.LSTM(width, width, depth, batch_first=True)
        self.target_words = nn.Sequential(nn.Embedding(vocab, width))
        self.decoder = nn.LSTM(width, width, depth, batch_first=True)
        self.keys = nn.Linear(width, width, bias=False)
        self.attentional = nn.Linear(2 * width, width, bias=False)
        self.logits = nn.Linear(width, vocab, bias=False)

    def forward(self, source: Tensor, length: Tensor, target: Tensor) -> Tensor:
        samples = zip(source, length.tolist(), target, strict=True)
        return torch.stack([self.translate(words[:end], given) for words, end, given in samples])

    def translate(self, source: Tensor, target: Tensor) -> Tensor:
        read, state = self.encoder(self.source_words(source))
        logits = []
        for word in self.target_words(target).split(1):
            hidden, state = self.decoder(word, state)
            scores = hidden @ self.keys(read).mT
            context = scores.softmax(1) @ read
            attentional = torch.tanh(self.attentional(torch.cat((context, hidden), 1)))
            logits.append(self.logits(attentional))
        return torch.cat(logits)


@paper("text_classifier", vocab=30, width=8, heads=2, depth=2, longest=20)
class TextClassifier(nn.Module):
    def __init__(
        self,
        vocab: int = 30_000,
        width: int = 256,
        heads: int = 4,
        depth: int = 4,
        longest: int = 512,
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocab, width)
        self.register_buffer("sinusoid", torch.empty(longest, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, batch_first=True, norm_first=True
        )
        self.states = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.normed = nn.LayerNorm(width)
        self.logits = nn.Linear(width, 4)

    def forward(self, tokens: Tensor, length: Tensor) -> Tensor:
        texts = [text[:end] for text, end in zip(tokens, length.tolist(), strict=True)]
        placed = [self.words(text) + self.sinusoid[: len(text)] for text in texts]
        means = [self.normed(self.states(x[None])).mean(1) for x in placed]
        return self.logits(torch.cat(means))


class Crossmodal(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.seen = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ff = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, width),
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        context = self.norm(context)
        x = x + self.seen(self.norm(x), context, context)[0]
        return x + self.ff(x)


class Modality(nn.Module):
    def __init__(self, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.from_a = nn.ModuleList([Crossmodal(width, heads) for _ in range(depth)])
        self.from_b = nn.ModuleList([Crossmodal(width, heads) for _ in range(depth)])
        self.norm_a, self.norm_b = nn.LayerNorm(width), nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(
            2 * width, heads, 8 * width, batch_first=True, norm_first=True
        )
        encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.memory = nn.Sequential(encoder, nn.LayerNorm(2 * width))

    def forward(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        seen_a = seen_b = x
        for one, other in zip(self.from_a, self.from_b, strict=True):
            seen_a, seen_b = one(seen_a, a), other(seen_b, b)
        both = torch.cat((self.norm_a(seen_a), self.norm_b(seen_b)), 2)
        return self.memory(both)[:, -1]


class Tokens(nn.Module):
    def __init__(self, features: int, length: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(features, width, bias=False)
        self.register_buffer("places", torch.empty(length, width))

    def forward(self, x: Tensor) -> Tensor:
        width = self.proj.out_features
        return width**0.5 * self.proj(x) + self.places


@paper("mult", width=8, heads=2, depth=2)
class MulT(nn.Module):
    """Tsai et al. 2019, section 3."""

    def __init__(self, width: int = 40, heads: int = 10, depth: int = 4) -> None:
        super().__init__()
        sizes = {"text": (300, 50), "audio": (74, 500), "video": (35, 500)}
        self.tokens = nn.ModuleDict({name: Tokens(*size, width) for name, size in sizes.items()})
        self.text_vec = Modality(width, heads, depth)
        self.audio_vec = Modality(width, heads, depth)
        self.video_vec = Modality(width, heads, depth)
        self.mixed = classifier(6 * width, 6 * width, 6 * width, 0.1)
        self.sentiment = nn.Linear(6 * width, 1)

    def forward(self, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        modalities = zip(self.tokens.values(), (text, audio, video), strict=True)
        t, a, v = (tokens(x) for tokens, x in modalities)
        x = torch.cat((self.text_vec(t, a, v), self.audio_vec(a, t, v), self.video_vec(v, t, a)), 1)
        return self.sentiment(x + self.mixed(x))


def vit_layer(width: int, heads: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, heads, 4 * width, activation="gelu", batch_first=True, norm_first=True
    )


class Alone(nn.Module):
    def __init__(self, tokens: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.places = nn.Parameter(torch.empty(tokens + 1, width))
        self.states = nn.TransformerEncoder(
            vit_layer(width, heads), depth, enable_nested_tensor=False
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens = torch.cat((self.cls_token.expand(len(x), 1, -1), x), 1)
        return self.states(tokens + self.places)


@paper("mbt", width=16, heads=2, apart=1, together=2, classes=5)
class MBT(nn.Module):
    """Nagrani et al. 2021, section 3.2, equations 8 and 9."""

    def __init__(
        self,
        width: int = 768,
        heads: int = 12,
        apart: int = 8,
        together: int = 4,
        classes: int = 527,
    ) -> None:
        super().__init__()
        frame, spectrum = (1, 16, 16), (16, 16)
        self.seen = nn.Sequential(
            nn.Conv3d(3, width, frame, frame),
            nn.Flatten(2),
            Alone(8 * 14 * 14, width, heads, apart),
        )
        self.heard = nn.Sequential(
            nn.Conv2d(1, width, spectrum, spectrum),
            nn.Flatten(2),
            Alone(8 * 50, width, heads, apart),
        )
        self.fused = nn.Module()
        self.fused.bottleneck = nn.Parameter(torch.empty(1, 4, width))
        names = ("encoder0", "encoder1")
        self.fused.layers = nn.ModuleList(
            nn.ModuleDict({name: vit_layer(width, heads) for name in names})
            for _ in range(together)
        )
        self.seen_logits = nn.Sequential(
            nn.Identity(), nn.LayerNorm(width), nn.Linear(width, classes)
        )

    def forward(self, frames: Tensor, spectrogram: Tensor) -> Tensor:
        streams = []
        for (patches, flat, alone), x in ((self.seen, frames), (self.heard, spectrogram)):
            streams.append(alone(flat(patches(x)).mT))
        shared = self.fused.bottleneck.expand(len(frames), -1, -1)
        for layer in self.fused.layers:
            pairs = zip(layer.values(), streams, strict=True)
            both = [encoder(torch.cat((x, shared), 1)) for encoder, x in pairs]
            streams = [x[:, :-4] for x in both]
            shared = (both[0][:, -4:] + both[1][:, -4:]) / 2
        return sum(self.seen_logits(x[:, 0]) for x in streams) / 2


@pytest.mark.parametrize("name", CASES)
def test_a_model_has_the_weights_of_the_paper(name: str) -> None:
    with torch.device("meta"):
        theirs = CASES[name].reference()
    ours = on_meta(gallery(name))
    assert shapes(ours) == shapes(theirs)


def shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {key: tensor.shape for key, tensor in model.state_dict().items()}


@pytest.mark.parametrize("name", CASES)
def test_a_model_computes_the_formulas_of_the_paper(name: str) -> None:
    reference, small = CASES[name]
    graph = gallery(name, **small)
    theirs, ours = reference(**small).eval(), graph.compile().eval()
    randomise(theirs)
    ours.load_state_dict(theirs.state_dict())
    inputs = seeded_inputs(graph.typed, 3, 0, choose_sizes(graph.typed, {}))
    with torch.no_grad():
        expected, actual = theirs(*inputs.values()), ours(**inputs)
    scale = expected.abs().max().item()
    assert (
        expected.std(0).max() > 1e-3 * scale
    )  # else outputs hardly differ between samples, and the comparison proves nothing
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4 * scale)
    hold(graph, actual, expected)
