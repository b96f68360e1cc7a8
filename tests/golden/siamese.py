import torch.nn.functional as F
from torch import Tensor, nn


class SigNet(nn.Module):
    """Two signatures through one network; genuine pairs lie close together, forgeries apart, which
    the contrastive loss of `distance` teaches (Dey et al. 2017, arXiv 1707.02131, table 1).

    Inputs: signature (N, 1, 155, 220), other (N, 1, 155, 220). Outputs: distance (N,),
    likeness (N,), embedding (N, 128), other_embedding (N, 128).

    signature: grey, inverted, over the standard deviation

    other: the one to compare it with
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Sequential(
            nn.Conv2d(1, 96, kernel_size=11),
            nn.ReLU(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(96, 256, kernel_size=5, padding=2),
            nn.ReLU(),
            nn.LocalResponseNorm(5, k=2.0),
            nn.MaxPool2d(3, stride=2),
            nn.Dropout(0.3),
            nn.Conv2d(256, 384, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Dropout(0.3),
            nn.Flatten(),
            nn.Linear(108800, 1024),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(1024, 128),
            nn.ReLU(),
        )

    def forward(self, *, signature: Tensor, other: Tensor) -> dict[str, Tensor]:
        embedding = self.embedding(signature)  # (N, 128)
        other_embedding = self.embedding(other)  # (N, 128)
        distance = F.pairwise_distance(embedding, other_embedding)  # (N,)
        likeness = F.cosine_similarity(embedding, other_embedding)  # (N,)
        return {
            "distance": distance,
            "likeness": likeness,
            "embedding": embedding,
            "other_embedding": other_embedding,
        }
