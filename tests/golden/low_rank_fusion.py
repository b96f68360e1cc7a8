from torch import Tensor, nn


class LastLSTM(nn.LSTM):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[1][0][-1]


class Subnet(nn.Sequential):
    def __init__(self, in_features: int) -> None:
        super().__init__(
            nn.BatchNorm1d(in_features),
            nn.Dropout(0.15),
            nn.Linear(in_features, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
            nn.Linear(32, 32),
            nn.ReLU(),
        )


class LowRankFusion(nn.Module):
    """Low-rank multimodal fusion (Liu et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.factor0 = nn.Linear(64, 4)
        self.factor1 = nn.Linear(32, 4)
        self.factor2 = nn.Linear(32, 4)

    def forward(self, x0: Tensor, x1: Tensor, x2: Tensor) -> Tensor:
        factor0 = self.factor0(x0)  # (N, 4)
        factor1 = self.factor1(x1)  # (N, 4)
        factor2 = self.factor2(x2)  # (N, 4)
        x = factor0 * factor1 * factor2  # (N, 4)
        del factor0, factor1, factor2
        x = x.reshape(-1, 4, 1)  # (N, 4, 1)
        return x.sum(1)


class LMF(nn.Module):
    """The tensor fusion of words, voice and face through factors of a low rank, so that the tensor
    is never made (LMF of Liu et al. 2018, arXiv 1806.00064, on CMU-MOSI).

    Inputs: text (N, T, 300), audio (N, 74), video (N, 35). Output: sentiment (N, 1).

    text: GloVe vectors of the words

    audio: COVAREP features, the mean over the utterance

    video: Facet features, the mean over the utterance
    """

    def __init__(self) -> None:
        super().__init__()
        self.text_vec = nn.Sequential(
            LastLSTM(300, 128, batch_first=True),
            nn.Dropout(0.15),
            nn.Linear(128, 64),
        )
        self.vec = nn.ModuleDict({"audio": Subnet(74), "video": Subnet(35)})
        self.sentiment = LowRankFusion()

    def forward(self, *, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        text_vec = self.text_vec(text)  # (N, 64)
        return self.sentiment(text_vec, self.vec["audio"](audio), self.vec["video"](video))
