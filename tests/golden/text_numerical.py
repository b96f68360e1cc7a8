import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TextNumerical(nn.Module):
    """A text (embedding, the LSTM's last state) joined with numbers.

    Inputs: text_input (N, 20) int64, numerical_input (N, 5). Output: fc_out (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 100)
        self.lstm = nn.LSTM(100, 64, batch_first=True)
        self.fc_numerical = nn.Linear(5, 64)
        self.fc_combined = nn.Linear(128, 64)
        self.fc_out = nn.Linear(64, 1)

    def forward(self, *, text_input: Tensor, numerical_input: Tensor) -> Tensor:
        lstm = self.embedding(text_input)  # (N, 20, 100)
        lstm = self.lstm(lstm)[1][0][-1]  # (N, 64)
        fc_numerical = F.relu(self.fc_numerical(numerical_input))  # (N, 64)
        x = torch.cat((lstm, fc_numerical), 1)  # (N, 128)
        del lstm, fc_numerical
        x = F.relu(self.fc_combined(x))  # (N, 64)
        return self.fc_out(x)
