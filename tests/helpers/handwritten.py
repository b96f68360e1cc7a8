"""The three models that every beginner writes, by hand: one module or function for each step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SimpleNumerical(nn.Module):
    """Two numeric vectors, concatenated."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(5, 32)
        self.fc2 = nn.Linear(10, 32)
        self.fc3 = nn.Linear(64, 1)
        self.relu = nn.ReLU()

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        x1 = self.relu(self.fc1(input1))
        x2 = self.relu(self.fc2(input2))
        combined = torch.cat((x1, x2), dim=1)
        return self.fc3(combined)


class TextNumerical(nn.Module):
    """Text through an embedding and an LSTM, joined with numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(1000, 100)
        self.lstm = nn.LSTM(100, 64, batch_first=True)
        self.fc_numerical = nn.Linear(5, 64)
        self.fc_combined = nn.Linear(64 + 64, 64)
        self.fc_out = nn.Linear(64, 1)
        self.relu = nn.ReLU()

    def forward(self, text_input: Tensor, numerical_input: Tensor) -> Tensor:
        embedded = self.embedding(text_input)
        _, (hidden, _) = self.lstm(embedded)
        text = hidden[-1]
        numerical = self.relu(self.fc_numerical(numerical_input))
        combined = torch.cat((text, numerical), dim=1)
        x = self.relu(self.fc_combined(combined))
        return self.fc_out(x)


class ImageNumerical(nn.Module):
    """An image through a small CNN, flattened, joined with numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc_numerical = nn.Linear(5, 64)
        self.fc_combined = nn.Linear(32 * 8 * 8 + 64, 64)
        self.fc_out = nn.Linear(64, 1)
        self.relu = nn.ReLU()

    def forward(self, image_input: Tensor, numerical_input: Tensor) -> Tensor:
        x = self.pool(self.relu(self.conv1(image_input)))
        x = self.pool(self.relu(self.conv2(x)))
        image = x.flatten(1)
        numerical = self.relu(self.fc_numerical(numerical_input))
        combined = torch.cat((image, numerical), dim=1)
        x = self.relu(self.fc_combined(combined))
        return self.fc_out(x)


MODELS: dict[str, type[nn.Module]] = {
    "simple_numerical": SimpleNumerical,
    "text_numerical": TextNumerical,
    "image_numerical": ImageNumerical,
}
