import torch
from torch import Tensor, nn


def _sinusoid(length: int, width: int) -> Tensor:
    """Positions as sine and cosine, interleaved (Vaswani et al., 2017): (length, width)."""
    rates = 10000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[:, :width]


class Select(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.select(1, -1)


class Tokens(nn.Module):
    def __init__(self, in_features: int, T: int) -> None:
        super().__init__()
        self.proj = nn.Linear(in_features, 40, bias=False)
        self.places = nn.Buffer(_sinusoid(T, 40))
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        proj = self.proj(x)
        mixed = 40**0.5 * proj + self.places
        del proj
        return self.drop(mixed)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(40)
        self.seen = nn.MultiheadAttention(40, 10, batch_first=True)
        self.ff = nn.Sequential(
            nn.LayerNorm(40),
            nn.Linear(40, 160),
            nn.ReLU(),
            nn.Linear(160, 40),
            nn.Dropout(0.1),
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        norm = self.norm(x)
        context_norm = self.norm(context)
        seen = self.seen(norm, context_norm, context_norm, need_weights=False)[0]
        del norm, context_norm
        mixed = x + seen
        del seen
        ff = self.ff(mixed)
        return mixed + ff


class Modality(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.from_a = nn.ModuleList([Layer() for _ in range(4)])
        self.from_b = nn.ModuleList([Layer() for _ in range(4)])
        self.norm_a = nn.LayerNorm(40)
        self.norm_b = nn.LayerNorm(40)
        self.memory = nn.Sequential(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(
                    80,
                    10,
                    dim_feedforward=320,
                    batch_first=True,
                    norm_first=True,
                ),
                num_layers=4,
                enable_nested_tensor=False,
            ),
            nn.LayerNorm(80),
            Select(),
        )

    def forward(self, x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        from_a = x
        for layer in self.from_a:
            from_a = layer(from_a, a)
        from_b = x
        for layer in self.from_b:
            from_b = layer(from_b, b)
        norm_a = self.norm_a(from_a)
        del from_a
        norm_b = self.norm_b(from_b)
        del from_b
        both = torch.cat((norm_a, norm_b), -1)
        del norm_a, norm_b
        return self.memory(both)


class MulT(nn.Module):
    """The sentiment of an utterance from words, voice and face, not aligned: each looks at both
    others in every layer of a crossmodal transformer, one more reads what it saw, and the last
    steps are joined (MulT of Tsai et al. 2019, arXiv 1906.00295, on CMU-MOSEI; convolutions of
    kernel 1 are Linear here).

    Inputs: text (N, 50, 300), audio (N, 500, 74), video (N, 500, 35). Output: sentiment (N, 1).

    text: GloVe vectors of the words

    audio: COVAREP features

    video: Facet features
    """

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.ModuleDict(
            {"text": Tokens(300, 50), "audio": Tokens(74, 500), "video": Tokens(35, 500)}
        )
        self.text_vec = Modality()
        self.audio_vec = Modality()
        self.video_vec = Modality()
        self.mixed = nn.Sequential(
            nn.Linear(240, 240),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Linear(240, 240),
        )
        self.sentiment = nn.Linear(240, 1)

    def forward(self, *, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        tokens_text = self.tokens["text"](text)  # (N, 50, 40)
        tokens_audio = self.tokens["audio"](audio)  # (N, 500, 40)
        tokens_video = self.tokens["video"](video)  # (N, 500, 40)
        text_vec = self.text_vec(tokens_text, tokens_audio, tokens_video)  # (N, 80)
        audio_vec = self.audio_vec(tokens_audio, tokens_text, tokens_video)  # (N, 80)
        video_vec = self.video_vec(tokens_video, tokens_text, tokens_audio)  # (N, 80)
        del tokens_video, tokens_text, tokens_audio
        joined = torch.cat((text_vec, audio_vec, video_vec), 1)  # (N, 240)
        del text_vec, audio_vec, video_vec
        mixed = self.mixed(joined)  # (N, 240)
        x = joined + mixed  # (N, 240)
        del joined, mixed
        return self.sentiment(x)
