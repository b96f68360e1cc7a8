"""References of models of several modalities."""

from __future__ import annotations

from torch import Tensor, nn

from tests.gallery.published import NAMES, Inputs, hugging_face, reference


class GivenFeatures(nn.Module):
    """Stands for an image encoder, of whose results the model is given."""

    def forward(self, pixel_values: Tensor, **options: object) -> tuple[Tensor]:
        return (pixel_values,)


def _padded(inputs: Inputs) -> Inputs:
    *_, padding = inputs.values()
    padding[:] = False
    padding[0, -2:] = padding[1, -1:] = True
    return inputs


@reference(
    "q_former",
    prepare=_padded,
    sizes={"P": 4, "T": 5},
    vocab=20,
    queries=3,
    width=16,
    heads=2,
    depth=4,
    longest=8,
    features=6,
)
def q_former(queries: int, features: int, **params: int) -> nn.Module:
    def call(
        model: nn.Module, image: Tensor, tokens: Tensor, padding: Tensor
    ) -> tuple[Tensor, Tensor]:
        known = (~padding).long()
        compared = model(image, tokens, known)
        matched = model(image, tokens, known, use_image_text_matching_head=True)
        return compared.logits_per_image, matched.logits_per_image

    made = hugging_face(
        "Blip2ForImageTextRetrieval",
        {},
        call,
        vision_config={"num_hidden_layers": 0, "hidden_size": 1408},
        qformer_config={
            **{NAMES[param]: value for param, value in params.items()},
            "intermediate_size": 4 * params["width"],
            "encoder_hidden_size": 1408,
            "use_qformer_text_input": True,
        },
        num_query_tokens=queries,
        image_text_hidden_size=features,
    )
    made.model.vision_model = GivenFeatures()
    return made


@reference(
    "perceiver_io",
    prepare=_padded,
    vocab=20,
    longest=9,
    width=16,
    latents=3,
    thought=24,
    depth=2,
)
def perceiver_io(**params: int) -> nn.Module:
    def call(model: nn.Module, text: Tensor, padding: Tensor) -> Tensor:
        return model(text, (~padding).long()).logits

    return hugging_face(
        "PerceiverForMaskedLM",
        params,
        call,
        names={
            "width": "d_model",
            "latents": "num_latents",
            "thought": "d_latents",
            "depth": "num_self_attends_per_block",
        },
        qk_channels=256,
        v_channels=params["thought"],
    )
