import torch
from torch import Tensor, nn


class LateFusion(nn.Module):
    """The sentiment of an utterance from its words, voice and face, each of its own length and read
    by an LSTM of its own, the final states joined (LF-LSTM, the baseline of Tsai et al. 2019, arXiv
    1906.00295).

    Inputs: text (N, T, 300), audio (N, A, 74), video (N, V, 35). Output: sentiment (N, 1).

    text: GloVe vectors of the words

    audio: COVAREP features, 100 a second

    video: Facet features, 15 a second
    """

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.ModuleDict(
            {
                "text": nn.LSTM(300, 128, batch_first=True),
                "audio": nn.LSTM(74, 128, batch_first=True),
                "video": nn.LSTM(35, 128, batch_first=True),
            }
        )
        self.sentiment = nn.Sequential(
            nn.Linear(384, 128),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(128, 1),
        )

    def forward(self, *, text: Tensor, audio: Tensor, video: Tensor) -> Tensor:
        lstm_text = self.lstm["text"](text)[1][0][-1]  # (N, 128)
        lstm_audio = self.lstm["audio"](audio)[1][0][-1]  # (N, 128)
        lstm_video = self.lstm["video"](video)[1][0][-1]  # (N, 128)
        x = torch.cat((lstm_text, lstm_audio, lstm_video), 1)  # (N, 384)
        del lstm_text, lstm_audio, lstm_video
        return self.sentiment(x)
