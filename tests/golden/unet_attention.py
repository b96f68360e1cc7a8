import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvBn(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, width, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )


class Gate(nn.Module):
    def __init__(self, in_channels: int, in_channels_2: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(in_channels, in_channels, kernel_size=2, stride=2, bias=False)
        self.phi = nn.Conv2d(in_channels_2, in_channels, kernel_size=1)
        self.psi = nn.Conv2d(in_channels, 1, kernel_size=1)

    def forward(self, x: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        theta = self.theta(x)
        phi = self.phi(g)
        psi = F.relu(theta + phi, inplace=True)
        del theta, phi
        psi = torch.sigmoid(self.psi(psi))
        alpha = F.interpolate(psi, size=x.shape[2:], mode="bilinear")
        del psi
        gated = alpha * x
        return gated, alpha


class DoubleConv(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(ConvBn(in_channels, width=width), ConvBn(width, width=width))


class Down(nn.Sequential):
    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__(nn.MaxPool2d(2), DoubleConv(in_channels, width=width))


class Up(nn.Module):
    def __init__(self, in_channels: int, in_channels_2: int) -> None:
        super().__init__()
        self.gate = Gate(in_channels, in_channels_2)
        self.raised = nn.ConvTranspose2d(in_channels_2, in_channels, kernel_size=2, stride=2)
        self.features = DoubleConv(in_channels_2, width=in_channels)

    def forward(self, x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        gate_gated, gate_alpha = self.gate(skip, x)
        raised = self.raised(x)
        features = torch.cat((gate_gated, raised), 1)
        del gate_gated, raised
        features = self.features(features)
        return features, gate_alpha


class AttentionUNet(nn.Module):
    """Segmentation by a U-Net whose skips pass through gates: the coarser level tells where to look
    (Oktay et al. 2018, arXiv 1804.03999, in two dimensions).

    Input: image (N, 1, 256, 256). Outputs: logits (N, 2, 256, 256), attention (N, 1, 256, 256).

    image: one slice
    """

    def __init__(self) -> None:
        super().__init__()
        self.level1 = DoubleConv(1, width=64)
        self.level2 = Down(64, width=128)
        self.level3 = Down(128, width=256)
        self.level4 = Down(256, width=512)
        self.bottom = Down(512, width=1024)
        self.up4 = Up(512, 1024)
        self.up3 = Up(256, 512)
        self.up2 = Up(128, 256)
        self.up1 = Up(64, 128)
        self.logits = nn.Conv2d(64, 2, kernel_size=1)

    def forward(self, *, image: Tensor) -> dict[str, Tensor]:
        level1 = self.level1(image)  # (N, 64, 256, 256)
        level2 = self.level2(level1)  # (N, 128, 128, 128)
        level3 = self.level3(level2)  # (N, 256, 64, 64)
        level4 = self.level4(level3)  # (N, 512, 32, 32)
        bottom = self.bottom(level4)  # (N, 1024, 16, 16)
        up4 = self.up4(bottom, level4)[0]  # (N, 512, 32, 32)
        del bottom, level4
        up3 = self.up3(up4, level3)[0]  # (N, 256, 64, 64)
        del up4, level3
        up2 = self.up2(up3, level2)[0]  # (N, 128, 128, 128)
        del up3, level2
        up1_features, up1_alpha = self.up1(up2, level1)  # (N, 64, 256, 256), (N, 1, 256, 256)
        del up2, level1
        logits = self.logits(up1_features)  # (N, 2, 256, 256)
        del up1_features
        return {"logits": logits, "attention": up1_alpha}
