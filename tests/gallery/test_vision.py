"""Models of images equal torchvision's, or the formulas of their papers in plain torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from mimgraph.runtime.runner import seeded_inputs
from tests.conftest import in_ci
from tests.gallery import (
    SMALL,
    assert_same_model,
    count,
    gallery,
    on_meta,
    randomise,
    transformers_for_torch,
)
from tests.gallery.agreement import hold

TORCHVISIONS = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "densenet121": "densenet121",
    "mobilenet_v2": "mobilenet_v2",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "efficientnet_b0": "efficientnet_b0",
    "convnext_tiny": "convnext_tiny",
    "vit_b16": "vit_b_16",
}


def images(channels: int, size: int) -> Tensor:
    """Return two smooth images that differ as a whole."""
    coarse = torch.randn(2, channels, 7, 7, generator=torch.Generator().manual_seed(1))
    return F.interpolate(coarse, size=size, mode="bilinear")


# in the default suite the small ones are compared
SMALL_ONES = ("resnet18", "mobilenet_v2", "mobilenet_v3_small")


def reference(name: str, **options: bool) -> nn.Module:
    """Return a model of torchvision on the meta device, to count its weights or fill them later."""
    with torch.device("meta"):
        return torchvision.models.get_model(name, **options)


@pytest.mark.parametrize("name", [in_ci(one, unless=one in SMALL_ONES) for one in TORCHVISIONS])
def test_a_model_equals_torchvision(name: str) -> None:
    theirs = reference(TORCHVISIONS[name]).to_empty(device="cpu")
    assert_same_model(gallery(name), theirs, image=images(3, 224))


@pytest.mark.parametrize("name", ["efficientnet_b0", "convnext_tiny"])
def test_branches_are_dropped_as_often_as_in_torchvision(name: str) -> None:
    """Deeper branches are dropped more often; compared to three decimals."""
    blocks = [m for m in reference(name).modules() if hasattr(m, "stochastic_depth")]
    theirs = [m.stochastic_depth.p for m in blocks if getattr(m, "use_res_connect", True)]
    ours = [m.drop for m in on_meta(gallery(name)).modules() if hasattr(m, "drop")]
    assert ours == pytest.approx(theirs, abs=1e-3)


@pytest.mark.slow
def test_googlenet_equals_torchvision_with_auxiliary_heads() -> None:
    theirs = reference("googlenet", aux_logits=True, init_weights=False).to_empty(device="cpu")
    image = images(3, 224)
    model = assert_same_model(gallery("googlenet"), theirs, image=image)
    assert list(model(image=image)) == ["logits"]
    torch.manual_seed(0)
    logits, aux2, aux1 = theirs.train()(image)
    torch.manual_seed(0)  # so both drop the same elements
    outputs = model.train()(image=image)
    torch.testing.assert_close(outputs, {"logits": logits, "aux1": aux1, "aux2": aux2})


def test_a_small_vit_equals_torchvision() -> None:
    assert count(on_meta(gallery("vit_b16"))) == count(reference("vit_b_16")) == 86_567_656
    sizes = {"num_layers": 2, "num_heads": 4, "hidden_dim": 64, "mlp_dim": 256}
    small = torchvision.models.VisionTransformer(image_size=224, patch_size=16, **sizes)
    assert_same_model(gallery("vit_b16", **SMALL["vit_b16"]), small, image=images(3, 224))


def test_swin_t_equals_torchvision() -> None:
    whole, ours = reference("swin_t"), on_meta(gallery("swin_t"))
    assert count(ours) == count(whole) == 28_288_354
    dropped = [m.p for m in whole.modules() if type(m).__name__ == "StochasticDepth"]
    rates = [m.p for m in ours.modules() if type(m).__name__ == "DropPath"]
    assert rates == pytest.approx([p for p in dropped for _ in ("attention", "mlp")])
    model = torchvision.models.SwinTransformer
    small = model([4, 4], 32, [2, 2, 2, 2], [1, 2, 4, 8], [7, 7])
    assert_same_model(gallery("swin_t", **SMALL["swin_t"]), small, image=images(3, 224))


# DETR


def detr(
    stem: int = 64,
    width: int = 256,
    heads: int = 8,
    ff: int = 2048,
    depth: int = 6,
    queries: int = 100,
) -> nn.Module:
    """Return Hugging Face's model, with random weights and without dropout."""
    transformers = transformers_for_torch()
    sizes = {"embedding_size": stem, "hidden_sizes": [4 * stem << level for level in range(4)]}
    stacks = {
        f"{stack}_{name}": value
        for stack in ("encoder", "decoder")
        for name, value in (("layers", depth), ("ffn_dim", ff), ("attention_heads", heads))
    }
    config = transformers.DetrConfig(
        backbone_config=transformers.ResNetConfig(**sizes, out_features=["stage4"]),
        **{"d_model": width, "num_queries": queries, "num_labels": 91, "dropout": 0.0, **stacks},
    )
    return transformers.DetrForObjectDetection(config)


class Padded(nn.Module):
    """A model of Hugging Face whose mask is true beside the image, not in it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        found = self.model(image, pixel_mask=~padding)
        return found.logits, found.pred_boxes


def test_detr_has_as_many_weights_as_hugging_face() -> None:
    with torch.device("meta"):
        theirs = detr()
    assert count(theirs) == count(on_meta(gallery("detr"))) == 41_524_768


@torch.no_grad()
def test_detr_equals_hugging_face() -> None:
    """For images with padding; and in training the results of all layers."""
    theirs, graph = detr(**SMALL["detr"]).eval(), gallery("detr", **SMALL["detr"], dropout=0.0)
    randomise(theirs)
    ours = graph.compile()
    transfer = graph.load_state(ours, Padded(theirs), sizes={"H": 64, "W": 64})
    assert transfer.missing == transfer.unused == () and transfer.equal == ("logits", "boxes")
    layers: list[Tensor] = []
    for layer in theirs.model.decoder.layers:
        layer.register_forward_hook(lambda layer, inputs, output: layers.append(output))
    image, padding = images(3, 96)[:, :, :64], torch.zeros(2, 64, 96, dtype=torch.bool)
    padding[0, 40:] = padding[1, :, 70:] = True
    logits, boxes = Padded(theirs)(image, padding)
    states = theirs.model.decoder.layernorm(torch.stack(layers, 1))
    all_logits, all_boxes = theirs.class_labels_classifier(states), theirs.bbox_predictor(states)
    found = ours(image=image, padding=padding)
    wanted = {"logits": logits, "boxes": boxes}
    wanted |= {"all_logits": all_logits, "all_boxes": all_boxes.sigmoid()}
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    hold(graph, [found[name] for name in wanted], list(wanted.values()))
    assert found["logits"].std(0).max() > 1e-2


# Attention U-Net: the paper's figures 1 and 2 in two dimensions


def double_conv(in_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)),
        *(nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False)),
        *(nn.BatchNorm2d(width), nn.ReLU()),
    )


class Up(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(width, width, 2, stride=2, bias=False)
        self.phi = nn.Conv2d(2 * width, width, 1)
        self.psi = nn.Conv2d(width, 1, 1)
        self.raised = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.features = double_conv(2 * width, width)

    def forward(self, x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        alpha = torch.sigmoid(self.psi(torch.relu(self.theta(skip) + self.phi(x))))
        alpha = F.interpolate(alpha, scale_factor=2, mode="bilinear")
        return self.features(torch.cat((alpha * skip, self.raised(x)), 1)), alpha


class AttentionUNet(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(map(double_conv, [1, *widths], widths))
        self.up = nn.ModuleList(map(Up, widths[-2::-1]))
        self.logits = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        skips: list[Tensor] = []
        for down in self.down:
            x = down(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        for up, skip in zip(self.up, skips[-2::-1], strict=True):
            x, alpha = up(x, skip)
        return self.logits(x), alpha


@pytest.mark.slow
def test_attention_unet_equals_the_paper() -> None:
    graph = gallery("unet_attention", width=8)
    assert_same_model(graph, AttentionUNet(width=8), image=images(1, 256))


# SigNet


@pytest.mark.slow
def test_signet_gives_the_distance_of_two_signatures() -> None:
    """The number of weights is the sum over the rows of the paper's table 1; 108,800 features are
    left of an image, 256 x 17 x 25."""
    graph = gallery("siamese")
    layers = (96 * (11**2 + 1), 256 * (96 * 5**2 + 1), 384 * (256 * 3**2 + 1))
    layers += (256 * (384 * 3**2 + 1), 1024 * (108_800 + 1), 128 * (1024 + 1))
    assert count(on_meta(graph)) == sum(layers)
    model = graph.compile().eval()
    randomise(model)
    one, two = images(1, 220)[:, :, :155].split(1)
    with torch.no_grad():
        apart, turned = (model(signature=a, other=b) for a, b in ((one, two), (two, one)))
    torch.testing.assert_close(apart["distance"], turned["distance"])
    torch.testing.assert_close(apart["embedding"], turned["other_embedding"])
    gap = apart["embedding"] - apart["other_embedding"]
    assert gap.norm() > 0.01
    torch.testing.assert_close(apart["distance"], gap.norm(dim=1), rtol=1e-3, atol=1e-4)
    assert 0 <= apart["likeness"] < 1


# Perceiver


def test_perceiver_has_the_weights_of_the_paper_and_ignores_order() -> None:
    """44.9 million weights, as the paper's table says; pixels in another order change nothing."""
    assert round(count(on_meta(gallery("perceiver"))) / 1e6, 1) == 44.9
    graph = gallery("perceiver", num_latents=32, width=64, depth=2)
    model = graph.compile().eval()
    randomise(model)
    inputs = seeded_inputs(graph.typed, batch=2, seed=0, sizes={"M": 20})
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = model(**inputs)
        shuffled = model(**{name: tensor[:, order] for name, tensor in inputs.items()})
    assert logits.std(0).max() > 1e-3 * logits.abs().max()
    torch.testing.assert_close(shuffled, logits, rtol=1e-3, atol=1e-4)
