import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LastLSTM(nn.LSTM):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[1][0][-1]


class Subnet(nn.Sequential):
    def __init__(self, in_features: int) -> None:
        super().__init__(
            nn.BatchNorm1d(in_features),
            nn.Dropout(0.2),
            nn.Linear(in_features, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
        )


class TensorFusion(nn.Module):
    """The sentiment of an utterance from every product of features of its words, voice and face, up
    to those of all three (the tensor fusion network of Zadeh et al. 2017, arXiv 1707.07250, on
    CMU-MOSI).

    Inputs: text (N, T, 300), audio (N, 74), video (N, 35). Output: sentiment (N, 1).

    text: GloVe vectors of the words

    audio: COVAREP features, the mean over the utterance

    video: Facet features, the mean over the utterance
    """

    def __init__(self) -> None:
        super().__init__()
        self.text_vec = nn.Sequential(
            LastLSTM(300, 128, batch_first=True),
            nn.Dropout(0.2),
            nn.Linear(128, 128),
        )
        self.vec = nn.ModuleDict({"audio": Subnet(74), "video": Subnet(35)})
        self.sentiment = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(140481, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, 1),
            nn.Sigmoid(),
        )

    def forward(self, *, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        text_vec = self.text_vec(text)  # (N, 128)
        x = torch.einsum(
            "na,nb,nc->nabc",
            F.pad(text_vec, (1, 0), value=1.0),
            F.pad(self.vec["audio"](audio), (1, 0), value=1.0),
            F.pad(self.vec["video"](video), (1, 0), value=1.0),
        ).flatten(1)  # (N, 140481)
        del text_vec
        return self.sentiment(x)
