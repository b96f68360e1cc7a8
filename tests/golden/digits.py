import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Joined(nn.Module):
    """Side by side, then a hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(96, 48)

    def forward(self, image: Tensor, numbers: Tensor) -> Tensor:
        x = torch.cat((image, numbers), 1)  # (N, 96)
        return F.relu(self.out(x))


class Digits(nn.Module):
    """A written digit from its image and from numbers measured on it, for the digits that
    scikit-learn ships (Alpaydin and Kaynak 1998, UCI).

    Inputs: image (N, 1, 8, 8), numbers (N, 21). Output: logits (N, 10).

    image: ink from 0 to 1

    numbers: ink of each row and column, in all, its centre and spread; standardised
    """

    def __init__(self) -> None:
        super().__init__()
        self.image_vec = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(128, 48),
            nn.ReLU(),
        )
        self.numbers_vec = nn.Linear(21, 48)
        self.fused = Joined()
        self.logits = nn.Linear(48, 10)

    def forward(self, *, image: Tensor, numbers: Tensor) -> Tensor:
        image_vec = self.image_vec(image)  # (N, 48)
        numbers_vec = F.relu(self.numbers_vec(numbers))  # (N, 48)
        x = self.fused(image_vec, numbers_vec)  # (N, 48)
        del image_vec, numbers_vec
        return self.logits(x)
