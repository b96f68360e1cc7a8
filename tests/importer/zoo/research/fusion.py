"""Several inputs that meet: images, texts and tables."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.importer.zoo.model import Model, ids, mask


class ImageTable(nn.Module):
    """view(x.size(0), -1), F.dropout of self.training, a gate."""

    def __init__(self, hidden=32):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc_img = nn.Linear(16 * 4 * 4, hidden)
        self.fc_tab = nn.Linear(6, hidden)
        self.gate = nn.Linear(2 * hidden, hidden)
        self.out = nn.Linear(hidden, 4)

    def forward(self, image, table):
        x = self.pool(F.relu(self.bn1(self.conv1(image))))
        x = F.relu(self.conv2(x))
        x = x.view(x.size(0), -1)
        x = F.dropout(x, 0.3, self.training)
        a = self.fc_img(x)
        b = F.relu(self.fc_tab(table))
        g = torch.sigmoid(self.gate(torch.cat((a, b), 1)))
        z = g * a + (1 - g) * b
        return self.out(z)


class ImageEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
        )
        self.proj = nn.Linear(32, dim)

    def forward(self, x):
        x = self.features(x)
        x = F.adaptive_avg_pool2d(x, 1)
        x = torch.flatten(x, 1)
        return self.proj(x)


class TextEncoder(nn.Module):
    def __init__(self, vocab, dim):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim, padding_idx=0)
        self.gru = nn.GRU(dim, dim, batch_first=True, bidirectional=True)
        self.proj = nn.Linear(2 * dim, dim)

    def forward(self, ids, mask):
        x, _ = self.gru(self.embed(ids))
        m = mask.unsqueeze(-1).to(x.dtype)
        x = (x * m).sum(dim=1) / m.sum(dim=1).clamp(min=1.0)
        return self.proj(x)


class Multimodal(nn.Module):
    """An image, a text and a table; encoders of their own, several heads, a dict of results."""

    def __init__(self, vocab=200, numeric=7, dim=24, classes=5):
        super().__init__()
        self.image_encoder = ImageEncoder(dim)
        self.text_encoder = TextEncoder(vocab, dim)
        self.table_encoder = nn.Sequential(
            nn.Linear(numeric, dim), nn.BatchNorm1d(dim), nn.GELU(), nn.Dropout(0.1)
        )
        self.fuse = nn.Linear(3 * dim, dim)
        self.heads = nn.ModuleDict({"label": nn.Linear(dim, classes), "score": nn.Linear(dim, 1)})

    def forward(self, image, text, text_mask, table):
        feats = [
            self.image_encoder(image),
            self.text_encoder(text, text_mask),
            self.table_encoder(table),
        ]
        fused = F.relu(self.fuse(torch.cat(feats, dim=-1)))
        return {name: head(fused) for name, head in self.heads.items()}


class DictInputs(nn.Module):
    """One argument is a dict of features; of two optional ones, one is given and one is left out."""

    def __init__(self, dim=16):
        super().__init__()
        self.image = nn.Linear(12, dim)
        self.audio = nn.Linear(9, dim)
        self.side = nn.Linear(4, dim)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 3)

    def forward(self, features, scale=None, side=None, temperature=1.0):
        x = self.image(features["image"]) + self.audio(features["audio"])
        if scale is not None:
            x = x * scale
        if side is not None:
            x = x + self.side(side)
        return self.out(self.norm(x)) / temperature


class DeepFM(nn.Module):
    """Embeddings of columns by index, the trick of the square of sums, a ModuleList of embeddings."""

    def __init__(self, sizes=(10, 20, 30), dim=4, dense=3):
        super().__init__()
        self.embeddings = nn.ModuleList([nn.Embedding(n, dim) for n in sizes])
        self.first = nn.ModuleList([nn.Embedding(n, 1) for n in sizes])
        self.linear = nn.Linear(dense, 1)
        self.deep = nn.Sequential(
            nn.Linear(len(sizes) * dim + dense, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1)
        )

    def forward(self, sparse, dense):
        e = torch.stack([emb(sparse[:, i]) for i, emb in enumerate(self.embeddings)], dim=1)
        first = sum(emb(sparse[:, i]) for i, emb in enumerate(self.first)) + self.linear(dense)
        fm = 0.5 * (e.sum(1).pow(2) - e.pow(2).sum(1)).sum(1, keepdim=True)
        deep = self.deep(torch.cat([e.flatten(1), dense], dim=1))
        return torch.sigmoid(first + fm + deep)


IMAGE = (3, 16, 16)

MODELS = [
    Model(
        "image-table", ImageTable, {"image": IMAGE, "table": (6,)}, "research", "image_numerical"
    ),
    Model(
        "multimodal",
        Multimodal,
        {"image": IMAGE, "text": ids("T", 200), "text_mask": mask("T"), "table": (7,)},
        "research",
    ),
    Model(
        "dict-inputs",
        DictInputs,
        {"features": {"image": (12,), "audio": (9,)}, "side": (4,)},
        "research",
    ),
    Model(
        "deepfm-class", DeepFM, {"sparse": {"shape": (3,), "vocab": 10}, "dense": (3,)}, "research"
    ),
]
