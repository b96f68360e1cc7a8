"""Images, sound and series: towers of residuals, U-Nets, skips, patches."""

from __future__ import annotations

import torch
import torch.nn as nn
import torch.nn.functional as F

from tests.importer.zoo.model import Model


class DilatedBlock(nn.Module):
    def __init__(self, c, dilation):
        super().__init__()
        self.conv = nn.Conv1d(c, 2 * c, 3, padding=dilation, dilation=dilation)
        self.proj = nn.Conv1d(c, c, 1)

    def forward(self, x, cond):
        h = self.conv(x) + cond.unsqueeze(-1)
        a, b = h.chunk(2, dim=1)
        z = torch.tanh(a) * torch.sigmoid(b)
        s = self.proj(z)
        return x + s, s


class WaveNetLike(nn.Module):
    """A loop over a ModuleList that carries two values, a condition, two outputs."""

    def __init__(self, c=8, n=4):
        super().__init__()
        self.inp = nn.Conv1d(1, c, 1)
        self.cond = nn.Linear(3, 2 * c)
        self.blocks = nn.ModuleList([DilatedBlock(c, 2**i) for i in range(n)])
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(c, c, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(c, 5),
        )

    def forward(self, wave, speaker):
        x = self.inp(wave.unsqueeze(1))
        cond = self.cond(speaker)
        skips = 0
        for block in self.blocks:
            x, skip = block(x, cond)
            skips = skips + skip
        return self.head(skips), x.mean(dim=2)


class DoubleConv(nn.Sequential):
    def __init__(self, a, b):
        super().__init__(
            nn.Conv2d(a, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(inplace=True),
            nn.Conv2d(b, b, 3, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(inplace=True),
        )


class Up(nn.Module):
    """Pads the upsampled map to the size of the skip."""

    def __init__(self, a, b):
        super().__init__()
        self.up = nn.ConvTranspose2d(a, a // 2, 2, stride=2)
        self.conv = DoubleConv(a, b)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        dy = x2.size()[2] - x1.size()[2]
        dx = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([x2, x1], dim=1))


class UNet(nn.Module):
    """The U-Net of many repositories: named stages, skips, images of any multiple of 4."""

    def __init__(self, channels=3, classes=2, width=8):
        super().__init__()
        self.inc = DoubleConv(channels, width)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(width, 2 * width))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(2 * width, 4 * width))
        self.up1 = Up(4 * width, 2 * width)
        self.up2 = Up(2 * width, width)
        self.outc = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x = self.up1(x3, x2)
        x = self.up2(x, x1)
        return self.outc(x)


class ResidualTower(nn.Module):
    """Residuals with +=, a projection only where widths differ, one ReLU used many times."""

    def __init__(self, widths=(8, 8, 16, 16)):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.convs = nn.ModuleList()
        self.norms = nn.ModuleList()
        self.shortcuts = nn.ModuleList()
        a = 8
        for w in widths:
            self.convs.append(nn.Conv2d(a, w, 3, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(w))
            self.shortcuts.append(nn.Conv2d(a, w, 1) if a != w else nn.Identity())
            a = w
        self.fc = nn.Linear(a, 10)

    def forward(self, x):
        x = self.relu(self.stem(x))
        for conv, norm, shortcut in zip(self.convs, self.norms, self.shortcuts):
            identity = shortcut(x)
            out = norm(conv(x))
            out += identity
            x = self.relu(out)
        x = x.mean([2, 3])
        return self.fc(x)


class SqueezeExcite(nn.Module):
    def __init__(self, c, r=4):
        super().__init__()
        self.fc1 = nn.Conv2d(c, c // r, 1)
        self.fc2 = nn.Conv2d(c // r, c, 1)

    def forward(self, x):
        s = x.mean((2, 3), keepdim=True)
        s = self.fc2(F.silu(self.fc1(s)))
        return x * s.sigmoid()


class FunctionalWeights(nn.Module):
    """F.conv2d and F.linear with parameters of its own, standardised weights."""

    def __init__(self, c=8, classes=3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(c, 3, 3, 3) * 0.1)
        self.bias = nn.Parameter(torch.zeros(c))
        self.se = SqueezeExcite(c)
        self.gamma = nn.Parameter(torch.ones(c, 1, 1))
        self.head = nn.Parameter(torch.randn(classes, c) * 0.1)

    def forward(self, x):
        w = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        x = F.conv2d(x, w, self.bias, stride=2, padding=1)
        x = self.se(F.leaky_relu(x, 0.1)) * self.gamma
        x = F.avg_pool2d(x, x.shape[-2:]).flatten(1)
        return F.linear(x, self.head)


class VariationalEncoder(nn.Module):
    """Draws with torch.randn_like in training, takes the mean in evaluation; three outputs."""

    def __init__(self, side=8, d=4):
        super().__init__()
        self.enc = nn.Linear(side * side, 16)
        self.mu = nn.Linear(16, d)
        self.logvar = nn.Linear(16, d)
        self.dec = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, side * side))

    def reparameterize(self, mu, logvar):
        if not self.training:
            return mu
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def forward(self, x):
        h = F.relu(self.enc(x.view(x.size(0), -1)))
        mu, logvar = self.mu(h), self.logvar(h)
        z = self.reparameterize(mu, logvar)
        return self.dec(z).view_as(x), mu, logvar


MODELS = [
    Model("wavenet-like", WaveNetLike, {"wave": ("T",), "speaker": (3,)}, "research", "wavenet"),
    Model("unet", UNet, {"x": (3, 16, 16)}, "research"),
    Model("residual-tower", ResidualTower, {"x": (3, 8, 8)}, "research", "residual_cnn"),
    Model("functional-weights", FunctionalWeights, {"x": (3, 12, 12)}, "research"),
    Model("variational-encoder", VariationalEncoder, {"x": (8, 8)}, "research"),
]
