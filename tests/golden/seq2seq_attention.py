import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Seq2SeqAttention(nn.Module):
    """Translation: the decoder starts from the encoder's state, and each of its steps looks at all
    source words (Luong et al. 2015, arXiv 1508.04025: global attention, general score, no input
    feeding).

    Inputs: source (N, S) int64, length (N,) int64, target (N, T) int64. Output:
    logits (N, T, 50000).

    source: the sentence to translate, reversed

    length: the number of its words

    target: its translation, a step late
    """

    def __init__(self) -> None:
        super().__init__()
        self.source_words = nn.Sequential(nn.Embedding(50000, 1000), nn.Dropout(0.2))
        self.encoder = nn.LSTM(1000, 1000, num_layers=4, batch_first=True, dropout=0.2)
        self.target_words = nn.Sequential(nn.Embedding(50000, 1000), nn.Dropout(0.2))
        self.decoder = nn.LSTM(1000, 1000, num_layers=4, batch_first=True, dropout=0.2)
        self.keys = nn.Linear(1000, 1000, bias=False)
        self.attentional = nn.Linear(2000, 1000, bias=False)
        self.logits = nn.Linear(1000, 50000, bias=False)

    def forward(self, *, source: Tensor, length: Tensor, target: Tensor) -> Tensor:
        encoder_packed = self.source_words(source)  # (N, S, 1000)
        encoder_packed = nn.utils.rnn.pack_padded_sequence(
            encoder_packed,
            length.cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        encoder_output, encoder_state = self.encoder(encoder_packed)
        del encoder_packed
        encoder_output = nn.utils.rnn.pad_packed_sequence(
            encoder_output,
            batch_first=True,
            total_length=source.shape[1],
        )[0]  # (N, S, 1000)
        target_words = self.target_words(target)  # (N, T, 1000)
        decoder = self.decoder(target_words, encoder_state)[0]  # (N, T, 1000)
        del target_words, encoder_state
        keys = self.keys(encoder_output)  # (N, S, 1000)
        real = torch.arange(source.shape[1], device=length.device) < length[:, None]  # (N, S)
        context = F.scaled_dot_product_attention(
            decoder,
            keys,
            encoder_output,
            attn_mask=real[:, None],
            scale=1.0,
        )  # (N, T, 1000)
        del keys, encoder_output, real
        x = torch.cat((context, decoder), -1)  # (N, T, 2000)
        del context, decoder
        x = torch.tanh(self.attentional(x))  # (N, T, 1000)
        return self.logits(x)
