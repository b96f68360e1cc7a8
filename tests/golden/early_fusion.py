import torch
from torch import Tensor, nn


class EarlyFusion(nn.Module):
    """The sentiment of an utterance from its words, voice and face, aligned word by word and joined
    before one LSTM reads them (EF-LSTM, the baseline of Tsai et al. 2019, arXiv 1906.00295, on
    CMU-MOSEI).

    Inputs: text (N, T, 300), audio (N, T, 74), video (N, T, 35), length (N,) int64. Output:
    sentiment (N, 1).

    text: GloVe vectors of the words

    audio: COVAREP features, the mean over each word

    video: Facet features, the mean over each word

    length: the number of words
    """

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(409, 128, batch_first=True)
        self.sentiment = nn.Sequential(
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(128, 1),
        )

    def forward(self, *, text: Tensor, audio: Tensor, video: Tensor, length: Tensor) -> Tensor:
        x = torch.cat((text, audio, video), -1)  # (N, T, 409)
        x = nn.utils.rnn.pack_padded_sequence(
            x,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        x = self.lstm(x)[1][0][-1]  # (N, 128)
        return self.sentiment(x)
