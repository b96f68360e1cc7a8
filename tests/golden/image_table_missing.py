import torch
from torch import Tensor, nn


class Conv(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, kernel_size=3, padding=1, bias=False),
            nn.GroupNorm(8, width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )


class ImageTableMissing(nn.Module):
    """A row of a table with a picture that some samples lack, or all: a learned vector stands for
    it, as it does where training drops a modality (Neverova et al. 2015, arXiv 1501.00102; Ma et
    al. 2021, arXiv 2103.05677).

    Inputs: numeric (N, 10), city (N,) int64, job (N,) int64, image (N, 3, 64, 64) (optional),
    has_image (N,) bool (optional). Output: logits (N, 2).

    numeric: standardised

    image: RGB, normalised; anything where there is none

    has_image: who has one; all if left out
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedded = nn.ModuleDict({"city": nn.Embedding(100, 16), "job": nn.Embedding(50, 16)})
        self.row_vec = nn.Sequential(nn.Linear(42, 128), nn.ReLU(), nn.Linear(128, 128))
        self.seen = nn.Sequential(
            Conv(3, width=32),
            Conv(32, width=64),
            Conv(64, width=128),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(128, 128),
        )
        self.image_vec = nn.Parameter(nn.init.normal_(torch.empty(128), std=0.02))
        self.logits = nn.Sequential(nn.ReLU(), nn.Dropout(0.3), nn.Linear(256, 2))

    def forward(
        self,
        *,
        numeric: Tensor,
        city: Tensor,
        job: Tensor,
        image: Tensor | None = None,
        has_image: Tensor | None = None,
    ) -> Tensor:
        row_vec = torch.cat((numeric, self.embedded["city"](city), self.embedded["job"](job)), 1)
        row_vec = self.row_vec(row_vec)  # (N, 128)
        if image is not None:
            image_vec = self.seen(image)  # (N, 128)
            if has_image is not None:
                image_vec = torch.where(has_image[:, None], image_vec, self.image_vec)  # (N, 128)
        else:
            image_vec = self.image_vec.expand(numeric.shape[0], -1)  # (N, 128)
        x = torch.cat((row_vec, image_vec), 1)  # (N, 256)
        del row_vec, image_vec
        return self.logits(x)
