import torch
from torch import Tensor, nn


class Unsqueeze(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1)


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).flatten(2)


class Conv(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, kernel_size=(5, 3), padding=(2, 1)),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d((1, 4)),
        )


class AudioTextEmotion(nn.Module):
    """The emotion of an utterance: each of its words looks for its sound in the spectrogram (the
    alignment of Xu et al. 2019, arXiv 1909.05645, on the CNN and LSTM of Satt et al. 2017).

    Inputs: audio (N, S, 128), frames (N,) int64, text (N, T) int64, length (N,) int64. Output:
    logits (N, 4).

    audio: log-mel spectrogram, 100 frames a second

    frames: the number of frames

    text: numbers of the words

    length: the number of words
    """

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = nn.Sequential(
            Unsqueeze(),
            Conv(1, width=16),
            Conv(16, width=32),
            Rearrange(),
        )
        self.sound = nn.LSTM(256, 128, batch_first=True, bidirectional=True)
        self.words = nn.Embedding(10000, 300)
        self.speech = nn.LSTM(300, 128, batch_first=True, bidirectional=True)
        self.aligned = nn.MultiheadAttention(256, 1, batch_first=True)
        self.fused = nn.LSTM(512, 128, batch_first=True, bidirectional=True)
        self.logits = nn.Sequential(
            nn.Linear(256, 128),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(128, 4),
        )

    def forward(self, *, audio: Tensor, frames: Tensor, text: Tensor, length: Tensor) -> Tensor:
        sound = self.spectrum(audio)  # (N, S, 256)
        sound = nn.utils.rnn.pack_padded_sequence(
            sound,
            frames.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        sound = nn.utils.rnn.pad_packed_sequence(
            self.sound(sound)[0],
            batch_first=True,
            total_length=audio.shape[1],
        )[0]  # (N, S, 256)
        speech = self.words(text)  # (N, T, 300)
        speech = nn.utils.rnn.pack_padded_sequence(
            speech,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        speech = nn.utils.rnn.pad_packed_sequence(
            self.speech(speech)[0],
            batch_first=True,
            total_length=text.shape[1],
        )[0]  # (N, T, 256)
        silence = torch.arange(audio.shape[1], device=frames.device) < frames[:, None]  # (N, S)
        silence = ~silence  # (N, S)
        aligned = self.aligned(
            speech,
            sound,
            sound,
            key_padding_mask=silence,
            need_weights=False,
        )[0]  # (N, T, 256)
        del sound, silence
        fused = torch.cat((speech, aligned), -1)  # (N, T, 512)
        del speech, aligned
        fused = nn.utils.rnn.pack_padded_sequence(
            fused,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        fused = nn.utils.rnn.pad_packed_sequence(
            self.fused(fused)[0],
            batch_first=True,
            total_length=text.shape[1],
        )[0]  # (N, T, 256)
        spoken = torch.arange(text.shape[1], device=length.device) < length[:, None]  # (N, T)
        x = (
            fused.masked_fill(~spoken[:, :, None], float("-inf"))
            .amax(1)
            .masked_fill(~spoken.any(1)[:, None], 0)
        )  # (N, 256)
        del fused, spoken
        return self.logits(x)
