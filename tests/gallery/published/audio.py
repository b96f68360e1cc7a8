"""References of models that hear."""

from __future__ import annotations

from torch import Tensor, nn

from tests.gallery.published import hugging_face, reference


@reference("wav2vec2", vocab=9, channels=16, width=32, heads=4, depth=2, sizes={"L": 1700})
class Wav2Vec2(nn.Module):
    """Hugging Face's model, with log probabilities and time first, as CTCLoss takes them."""

    def __init__(self, vocab: int, channels: int, width: int, heads: int, depth: int) -> None:
        super().__init__()
        self.model = hugging_face(
            "Wav2Vec2ForCTC",
            vocab_size=vocab,
            conv_dim=7 * [channels],
            hidden_size=width,
            num_attention_heads=heads,
            num_hidden_layers=depth,
            intermediate_size=4 * width,
            mask_time_prob=0.0,
        )

    def forward(self, wave: Tensor) -> Tensor:
        return self.model(wave).logits.log_softmax(-1).transpose(0, 1)
