"""References of models that hear."""

from __future__ import annotations

from torch import Tensor, nn

from tests.gallery.published import hugging_face, reference


@reference("wav2vec2", vocab=9, channels=16, width=32, heads=4, depth=2, sizes={"L": 1700})
def wav2vec2(channels: int, **params: int) -> nn.Module:
    """Return Hugging Face's model, with log probabilities and time first, as CTCLoss takes them."""

    def call(model: nn.Module, wave: Tensor) -> Tensor:
        return model(wave).logits.log_softmax(-1).transpose(0, 1)

    return hugging_face(
        "Wav2Vec2ForCTC",
        params,
        call,
        conv_dim=7 * [channels],
        intermediate_size=4 * params["width"],
        mask_time_prob=0.0,
    )
