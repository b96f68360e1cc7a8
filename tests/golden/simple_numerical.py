import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SimpleNumerical(nn.Module):
    """Two numeric vectors, each through a hidden layer, concatenated.

    Inputs: input1 (N, 5), input2 (N, 10). Output: fc3 (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(5, 32)
        self.fc2 = nn.Linear(10, 32)
        self.fc3 = nn.Linear(64, 1)

    def forward(self, *, input1: Tensor, input2: Tensor) -> Tensor:
        fc1 = F.relu(self.fc1(input1))  # (N, 32)
        fc2 = F.relu(self.fc2(input2))  # (N, 32)
        x = torch.cat((fc1, fc2), 1)  # (N, 64)
        del fc1, fc2
        return self.fc3(x)
