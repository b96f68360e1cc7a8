"""Texts and sequences: masks, packed sequences, attention written out, decoders."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.importer.zoo.model import Model, ids, mask

LENGTHS = {"shape": (), "dtype": "int64"}


class PackedLSTM(nn.Module):
    """The last states of both directions of a packed sequence, and a label for each step of it."""

    def __init__(self, vocab=100, emb=16, hidden=24, classes=3):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb, padding_idx=0)
        self.lstm = nn.LSTM(emb, hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(2 * hidden, classes)
        self.tag = nn.Linear(2 * hidden, classes)

    def forward(self, text, lengths):
        x = self.dropout(self.embedding(text))
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, (h, c) = self.lstm(packed)
        x, _ = pad_packed_sequence(packed, batch_first=True, total_length=text.shape[1])
        h = torch.cat((h[-2], h[-1]), dim=1)
        return self.fc(self.dropout(h)), self.tag(x)


class SiameseAttention(nn.Module):
    """A helper method called twice; views with sizes, einsum, a masked softmax, tied modules."""

    def __init__(self, vocab=60, d=16, heads=4):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.heads = heads
        self.q = nn.Linear(d, d)
        self.k = nn.Linear(d, d)
        self.v = nn.Linear(d, d)
        self.norm = nn.LayerNorm(d)
        self.scale = nn.Parameter(torch.ones(1) * 0.3)
        self.register_buffer("prior", torch.randn(d))
        self.out = nn.Linear(2 * d, 2)

    def encode(self, ids, mask):
        x = self.norm(self.emb(ids) + self.prior)
        B, T, D = x.shape
        q = self.q(x).view(B, T, self.heads, D // self.heads)
        k = self.k(x).view(B, T, self.heads, D // self.heads)
        v = self.v(x).view(B, T, self.heads, D // self.heads)
        scores = torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(D // self.heads)
        scores = scores.masked_fill(mask[:, None, None, :] == 0, -1e9)
        y = torch.einsum("bhij,bjhd->bihd", scores.softmax(-1), v).reshape(B, T, D)
        x = self.norm(x + self.scale * y)
        m = mask.unsqueeze(-1).float()
        return (x * m).sum(1) / m.sum(1).clamp(min=1)

    def forward(self, question, answer, q_mask, a_mask):
        a = self.encode(question, q_mask)
        b = self.encode(answer, a_mask)
        return self.out(torch.cat([a * b, (a - b).abs()], dim=-1))


class CausalSelfAttention(nn.Module):
    """nanoGPT's: one product for three, a triangle in a buffer, -inf above it."""

    def __init__(self, d, heads, block_size, dropout=0.1):
        super().__init__()
        self.c_attn = nn.Linear(d, 3 * d)
        self.c_proj = nn.Linear(d, d)
        self.attn_dropout = nn.Dropout(dropout)
        self.register_buffer(
            "bias",
            torch.tril(torch.ones(block_size, block_size)).view(1, 1, block_size, block_size),
        )
        self.n_head, self.n_embd = heads, d

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
        att = self.attn_dropout(F.softmax(att, dim=-1))
        y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        return self.c_proj(y)


class GPTBlock(nn.Module):
    def __init__(self, d, heads, block_size):
        super().__init__()
        self.ln_1 = nn.LayerNorm(d)
        self.attn = CausalSelfAttention(d, heads, block_size)
        self.ln_2 = nn.LayerNorm(d)
        self.mlp = nn.ModuleDict(
            dict(c_fc=nn.Linear(d, 4 * d), c_proj=nn.Linear(4 * d, d), dropout=nn.Dropout(0.1))
        )

    def mlpf(self, x):
        m = self.mlp
        return m.dropout(m.c_proj(F.gelu(m.c_fc(x), approximate="tanh")))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlpf(self.ln_2(x))


class NanoGPT(nn.Module):
    """Tied embeddings, a ModuleDict of the parts, positions of arange."""

    def __init__(self, vocab=70, d=16, heads=4, depth=2, block_size=32):
        super().__init__()
        self.transformer = nn.ModuleDict(
            dict(
                wte=nn.Embedding(vocab, d),
                wpe=nn.Embedding(block_size, d),
                drop=nn.Dropout(0.1),
                h=nn.ModuleList([GPTBlock(d, heads, block_size) for _ in range(depth)]),
                ln_f=nn.LayerNorm(d),
            )
        )
        self.lm_head = nn.Linear(d, vocab, bias=False)
        self.transformer.wte.weight = self.lm_head.weight

    def forward(self, idx):
        b, t = idx.size()
        pos = torch.arange(0, t, dtype=torch.long, device=idx.device).unsqueeze(0)
        x = self.transformer.drop(self.transformer.wte(idx) + self.transformer.wpe(pos))
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


class AdditiveAttentionPool(nn.Module):
    """Bahdanau's attention with a query of its own and a softmax that leaves padding out."""

    def __init__(self, vocab=60, d=12, classes=3):
        super().__init__()
        self.embed = nn.Embedding(vocab, d)
        self.rnn = nn.GRU(d, d, batch_first=True)
        self.w = nn.Linear(d, d)
        self.u = nn.Parameter(torch.empty(d))
        nn.init.normal_(self.u, std=0.1)
        self.out = nn.Linear(d, classes)

    def forward(self, text, mask):
        h, _ = self.rnn(self.embed(text))
        e = torch.matmul(torch.tanh(self.w(h)), self.u)
        e = torch.where(mask.bool(), e, torch.full_like(e, -1e4))
        a = torch.softmax(e, dim=1)
        return self.out((a.unsqueeze(2) * h).sum(1)), a


MODELS = [
    Model("packed-lstm", PackedLSTM, {"text": ids("T", 100), "lengths": LENGTHS}, "research"),
    Model(
        "siamese-attention",
        SiameseAttention,
        {
            "question": ids("T", 60),
            "answer": ids("U", 60),
            "q_mask": mask("T"),
            "a_mask": mask("U"),
        },
        "research",
        "siamese",
    ),
    Model("nano-gpt", NanoGPT, {"idx": ids("T", 70)}, "research", "gpt2"),
    Model(
        "additive-attention",
        AdditiveAttentionPool,
        {"text": ids("T", 60), "mask": mask("T")},
        "research",
    ),
]
