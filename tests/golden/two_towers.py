import torch
from torch import Tensor, nn


class TwoTowers(nn.Module):
    """Two images through one tower, compared; the siamese network for likeness of pairs.

    Inputs: left (N, 1, 28, 28), right (N, 1, 28, 28). Outputs: likeness (N, 1), left (N, 64),
    right (N, 64).
    """

    def __init__(self) -> None:
        super().__init__()
        self.left_vec = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(2304, 64),
        )
        self.score = nn.Linear(64, 1)

    def forward(self, *, left: Tensor, right: Tensor) -> dict[str, Tensor]:
        left_vec = self.left_vec(left)  # (N, 64)
        right_vec = self.left_vec(right)  # (N, 64)
        score = torch.abs(left_vec - right_vec)  # (N, 64)
        score = torch.sigmoid(self.score(score))  # (N, 1)
        return {"likeness": score, "left": left_vec, "right": right_vec}
