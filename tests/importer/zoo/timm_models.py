"""The main families of timm, each with one of its smallest models."""

from __future__ import annotations

from functools import partial

import timm

from tests.importer.zoo.model import Model

# made for images of any size
CONVOLUTIONS = """
convmixer_768_32 convnext_atto convnextv2_atto cspresnet50 darknet53 davit_tiny densenet121 dla34 dpn48b
edgenext_xx_small efficientnet_b0 efficientvit_b0 ese_vovnet19b_slim fastvit_t8 focalnet_tiny_srf ghostnet_050
hrnet_w18_small inception_next_atto lcnet_050 mambaout_femto mobilenetv3_small_100 mobilenetv4_conv_small
nf_regnet_b0 poolformer_s12 pvt_v2_b0 regnety_002 res2net50_26w_4s resnest14d resnet18 resnetv2_50 rexnet_100
selecsls42 seresnet18 skresnet18 starnet_s1 tf_efficientnetv2_b0 tinynet_e vovnet39a xception41
"""
# made for one size of images, which an option gives
TRANSFORMERS = """
botnet26t_256 cait_xxs24_224 coat_tiny coatnet_nano_rw_224 deit3_small_patch16_224 eva02_tiny_patch14_224
gcresnet33ts gmlp_ti16_224 hiera_tiny_224 lambda_resnet26t levit_128s maxvit_nano_rw_256 mixer_s32_224
mobilevit_xxs mvitv2_tiny nest_tiny pit_ti_224 repvgg_a0 repvit_m0_9 resmlp_12_224 sequencer2d_s
swin_tiny_patch4_window7_224 visformer_tiny vit_tiny_patch16_224 volo_d1_224 xcit_nano_12_p16_224
"""
SIDE = 64
GALLERY = {"densenet121": "densenet121", "resnet18": "resnet18", "vit_tiny_patch16_224": "vit_b16"}


def _model(name: str, **options: int) -> Model:
    make = partial(timm.create_model, name, pretrained=False, **options)
    # torchvision has models of the same names
    return Model(f"timm-{name}", make, {"x": (3, SIDE, SIDE)}, "timm", GALLERY.get(name, ""))


MODELS = [
    *map(_model, CONVOLUTIONS.split()),
    *(_model(name, img_size=SIDE) for name in TRANSFORMERS.split()),
]
