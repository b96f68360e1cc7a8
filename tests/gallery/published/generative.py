"""References of models that make pictures."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tests.gallery.published import reference


@reference("vae", hidden=12, latent=4)
class VAE(nn.Module):
    """Kingma and Welling 2013, appendix C; in eval the code is the mean."""

    def __init__(self, hidden: int, latent: int) -> None:
        super().__init__()
        self.seen = nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.Tanh())
        self.mean = nn.Linear(hidden, latent)
        self.log_variance = nn.Linear(hidden, latent)
        self.image_logits = nn.Sequential(
            nn.Linear(latent, hidden), nn.Tanh(), nn.Linear(hidden, 784)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = self.seen(image)
        mean, log_variance = self.mean(seen), self.log_variance(seen)
        code = mean
        if self.training:
            code = code + (log_variance / 2).exp() * torch.randn_like(mean)
        return self.image_logits(code).unflatten(1, (1, 28, 28)), mean, log_variance
