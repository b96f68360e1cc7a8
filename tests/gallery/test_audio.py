"""Models of sound equal the formulas of their papers in plain torch, or the parts of Hugging Face's models."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.gallery import (
    SMALL,
    assert_same_model,
    count,
    gallery,
    on_meta,
    randomise,
    transformers_for_torch,
)
from tests.gallery.agreement import hold

DILATIONS = [2**i for i in range(10)] * 3


class Unit(nn.Module):
    """Equation 3 of WaveNet, z = tanh(W_f * x + V_f h) sigmoid(W_g * x + V_g h); figure 4 around it."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.heard = nn.Conv1d(64, 128, 2, dilation=dilation)
        self.voice = nn.Linear(16, 128, bias=False)
        self.change = nn.Conv1d(64, 64, 1)
        self.skip = nn.Conv1d(64, 256, 1)

    def forward(self, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        f, g = (self.heard(F.pad(x, (self.dilation, 0))) + self.voice(h)[:, :, None]).split(64, 1)
        z = f.tanh() * g.sigmoid()
        return x + self.change(z), self.skip(z)


class WaveNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.voice = nn.Embedding(109, 16)
        self.stem = nn.Conv1d(256, 64, 2)
        self.units = nn.ModuleList(map(Unit, DILATIONS))
        self.first, self.second = nn.Conv1d(256, 256, 1), nn.Conv1d(256, 256, 1)

    def forward(self, waveform: Tensor, speaker: Tensor) -> Tensor:
        codes = F.one_hot(waveform, 256).float().transpose(1, 2)
        x, h = self.stem(F.pad(codes, (1, 0))), self.voice(speaker)
        skips = []
        for unit in self.units:
            x, skip = unit(x, h)
            skips.append(skip)
        return self.second(self.first(sum(skips).relu()).relu())


def test_wavenet_equals_the_paper() -> None:
    generator = torch.Generator().manual_seed(0)
    waveform = torch.randint(256, (2, 600), generator=generator)
    graph = gallery("wavenet")
    assert_same_model(graph, WaveNet(), waveform=waveform, speaker=torch.tensor([3, 80]))


def test_wavenet_depends_on_the_past_only() -> None:
    """3 cycles reach back 3 x 1023 samples, and the first convolution one more; logits at t are of
    the sample after t."""
    model = gallery("wavenet").compile().eval()
    before = torch.zeros(1, 3200, dtype=torch.int64)
    after = before.clone()
    after[:, 50] = 1
    speaker = torch.tensor([0])
    with torch.no_grad():
        change = model(waveform=after, speaker=speaker) - model(waveform=before, speaker=speaker)
    (heard,) = change[0].abs().amax(0).nonzero(as_tuple=True)
    assert heard.min() == 50 and heard.max() == 50 + 3 * 1023 + 1


class Conformer(nn.Module):
    """Hugging Face's blocks of a Conformer, between the subsampling of the paper and a layer for CTC."""

    def __init__(
        self, vocab: int = 1024, width: int = 144, heads: int = 4, depth: int = 16
    ) -> None:
        super().__init__()
        transformers = transformers_for_torch()
        parakeet = pytest.importorskip("transformers.models.parakeet.modeling_parakeet")
        sizes = {"hidden_size": width, "intermediate_size": 4 * width}
        config = transformers.ParakeetEncoderConfig(
            **sizes, num_attention_heads=heads, conv_kernel_size=31, attn_implementation="eager"
        )
        self.first, self.second = nn.Conv2d(1, width, 3, 2), nn.Conv2d(width, width, 3, 2)
        self.joined = nn.Linear(width * 19, width)
        self.places = parakeet.ParakeetEncoderRelPositionalEncoding(config)
        self.blocks = nn.ModuleList(
            parakeet.ParakeetEncoderBlock(config, layer_idx=i) for i in range(depth)
        )
        self.words = nn.Linear(width, vocab)

    def forward(self, frames: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        x = self.second(self.first(frames[:, None]).relu()).relu()
        x = self.joined(x.transpose(1, 2).flatten(2))
        steps = ((length - 1) // 2 - 1) // 2
        seen = torch.arange(x.shape[1]) < steps[:, None]
        mask = (seen[:, None] & seen[:, :, None])[:, None]
        places = self.places(x)
        for block in self.blocks:
            x = block(x, attention_mask=mask, position_embeddings=places)
        return self.words(x).log_softmax(-1).transpose(0, 1), steps


def test_conformer_has_as_many_weights_as_its_reference() -> None:
    with torch.device("meta"):
        theirs = Conformer()
    assert count(theirs) == count(on_meta(gallery("conformer")))


@torch.no_grad()
def test_conformer_equals_hugging_faces_blocks() -> None:
    """At the steps of each sample; those behind its length hold anything."""
    graph, theirs = gallery("conformer", **SMALL["conformer"]), Conformer(**SMALL["conformer"])
    randomise(theirs)
    ours = graph.compile().eval()
    graph.load_state(ours, theirs.state_dict())
    frames = torch.randn(3, 50, 80, generator=torch.Generator().manual_seed(0))
    length = torch.tensor([50, 31, 44])
    logp, steps = theirs.eval()(frames, length)
    found = ours(frames=frames, length=length)
    assert found["steps"].tolist() == steps.tolist() == [11, 7, 10]
    for n, end in enumerate(steps):
        torch.testing.assert_close(found["logp"][:end, n], logp[:end, n], rtol=1e-4, atol=1e-4)
        hold(graph, found["logp"][:end, n], logp[:end, n])
    assert logp[:7].std(1).max() > 1e-2
    words = torch.randint(1, 20, (3, 3), generator=torch.Generator().manual_seed(1))
    assert F.ctc_loss(found["logp"], words, found["steps"], torch.tensor([3, 2, 3])).isfinite()
