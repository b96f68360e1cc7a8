import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ImageNumerical(nn.Module):
    """An image through a small CNN, flattened, joined with numbers.

    Inputs: image_input (N, 3, 32, 32), numerical_input (N, 5). Output: fc_out (N, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc_numerical = nn.Linear(5, 64)
        self.fc_combined = nn.Linear(2112, 64)
        self.fc_out = nn.Linear(64, 1)

    def forward(self, *, image_input: Tensor, numerical_input: Tensor) -> Tensor:
        flatten = F.relu(self.conv1(image_input))  # (N, 16, 32, 32)
        flatten = self.pool1(flatten)  # (N, 16, 16, 16)
        flatten = F.relu(self.conv2(flatten))  # (N, 32, 16, 16)
        flatten = self.pool2(flatten)  # (N, 32, 8, 8)
        flatten = self.flatten(flatten)  # (N, 2048)
        fc_numerical = F.relu(self.fc_numerical(numerical_input))  # (N, 64)
        x = torch.cat((flatten, fc_numerical), 1)  # (N, 2112)
        del flatten, fc_numerical
        x = F.relu(self.fc_combined(x))  # (N, 64)
        return self.fc_out(x)
