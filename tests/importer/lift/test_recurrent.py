"""Recurrent layers are imported with their states as ports, and packed sequences as lengths."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.importer.support import check, nodes

X = ("T", 6)
LENGTHS = {"shape": (), "dtype": "int64"}


class Last(nn.Module):
    def __init__(self, cls: Any = nn.LSTM, **options: Any) -> None:
        super().__init__()
        self.rnn = cls(6, 4, batch_first=True, **options)
        self.head = nn.Linear(8 if options.get("bidirectional") else 4, 2)

    def forward(self, x: Tensor) -> Any:
        state = self.rnn(x)[1]
        hidden = state[0] if isinstance(self.rnn, nn.LSTM) else state
        if self.rnn.bidirectional:
            return self.head(torch.cat([hidden[-2], hidden[-1]], dim=1))
        return self.head(hidden[-1])


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
def test_final_state_is_last(cls: Any, options: dict[str, Any]) -> None:
    found = check(Last(cls, **options), x=X)
    assert nodes(found)["head"]["from"] == "rnn.last"
    assert nodes(found)["rnn"] == {"layer": cls.__name__, "from": "x", "hidden_size": 4, **options}


class States(nn.Module):
    """Reads a state of torch's (layers, N, H) by `read`."""

    def __init__(self, read: Any, **options: Any) -> None:
        super().__init__()
        self.rnn = nn.LSTM(6, 4, batch_first=True, **options)
        self.read = read

    def forward(self, x: Tensor) -> Any:
        output, (hidden, cell) = self.rnn(x)
        return self.read(output, hidden, cell)


READS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "all states": (lambda o, h, c: h.transpose(0, 1), {"num_layers": 2}, "rnn.hidden"),
    "permuted": (lambda o, h, c: c.permute(1, 0, 2), {"num_layers": 2}, "rnn.cell"),
    "squeezed": (lambda o, h, c: h.squeeze(0), {}, "rnn.last"),
    "first of one": (lambda o, h, c: h[0], {}, "rnn.last"),
    "output": (lambda o, h, c: o, {}, "rnn"),
}


@pytest.mark.parametrize("name", READS)
def test_state_is_a_port(name: str) -> None:
    read, options, port = READS[name]
    found = check(States(read, **options), x=X)
    assert found.graph.to_dict()["outputs"] == port and len(nodes(found)) == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda o, h, c: h[0],
        lambda o, h, c: c[-1] + h[2],
        lambda o, h, c: torch.cat([h[-1], h[-2]], dim=1),
        lambda o, h, c: torch.cat([h[0], h[1]], dim=-1),
        lambda o, h, c: torch.cat([h[-2, :, :], h[-1, :, :]], dim=-1),
        lambda o, h, c: o[:, -1],
        lambda o, h, c: (o, h.transpose(0, 1), c[3]),
    ],
)
def test_states_of_inner_layers(read: Any) -> None:
    check(States(read, num_layers=2, bidirectional=True), x=X)


class Seq2Seq(nn.Module):
    def __init__(self, cls: Any) -> None:
        super().__init__()
        self.encoder = cls(6, 4, 2, batch_first=True)
        self.decoder = cls(6, 4, 2, batch_first=True)

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.decoder(y, self.encoder(x)[1])[0]


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU])
def test_state_goes_to_another_layer(cls: Any) -> None:
    found = check(Seq2Seq(cls), x=X, y=("S", 6))
    assert nodes(found)["decoder"]["from"] == {"input": "y", "state": "encoder.state"}


class Initial(nn.Module):
    def __init__(self, start: Any, num_layers: int = 1) -> None:
        super().__init__()
        self.rnn = nn.LSTM(6, 4, num_layers, batch_first=True)
        self.init: nn.Linear | None = nn.Linear(3, 4)
        self.start = start

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.rnn(x, self.start(self, x, y))[0], y


def test_zeros_are_left_out() -> None:
    def start(self: Any, x: Tensor, y: Tensor) -> Any:
        zeros = torch.zeros(2, x.size(0), 4)
        return zeros, torch.zeros_like(zeros)

    module = Initial(start, 2)
    module.init = None
    found = check(module, x=X, y=(3,))
    assert nodes(found)["rnn"]["from"] == "x"


def test_state_of_features() -> None:
    def start(self: Any, x: Tensor, y: Tensor) -> Any:
        hidden = self.init(y).unsqueeze(0)
        return hidden, torch.tanh(hidden)

    check(Initial(start), x=X, y=(3,))


class Packs(nn.Module):
    def __init__(self, cls: Any = nn.LSTM, first: bool = True, **how: Any) -> None:
        super().__init__()
        self.rnn = cls(6, 4, batch_first=first)
        self.first, self.how = first, how

    def forward(self, x: Tensor, lengths: Tensor) -> Any:
        if not self.first:
            x = x.transpose(0, 1)
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=self.first, **self.how)
        output, state = self.rnn(packed)
        padded, counts = pad_packed_sequence(output, batch_first=self.first)
        if not self.first:
            padded = padded.transpose(0, 1)
        hidden = state[0] if isinstance(state, tuple) else state
        return padded, hidden[-1], counts


@pytest.mark.parametrize("how", [{}, {"enforce_sorted": False}], ids=str)
@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("first", [True, False])
def test_packed_sequence_has_lengths(cls: Any, first: bool, how: Any) -> None:
    found = check(Packs(cls, first, **how), x=X, lengths=LENGTHS)
    assert [*nodes(found)] == ["rnn"]
    assert nodes(found)["rnn"]["from"] == {"input": "x", "lengths": "lengths"}


class StepsFirst(nn.Module):
    def __init__(self, read: Any) -> None:
        super().__init__()
        self.rnn, self.head, self.read = nn.GRU(6, 4), nn.Linear(4, 2), read

    def forward(self, x: Tensor) -> Any:
        return self.head(self.read(self.rnn(x.transpose(0, 1))[0]))


@pytest.mark.parametrize(
    "read",
    [lambda o: o.transpose(0, 1), lambda o: o.permute(1, 0, 2), lambda o: o[-1], lambda o: o],
)
def test_steps_first(read: Any) -> None:
    found = check(StepsFirst(read), x=X)
    assert nodes(found)["rnn"]["from"] == "x"


class Loop(nn.Module):
    def __init__(self, cls: Any) -> None:
        super().__init__()
        self.cell = cls(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        zeros = x.new_zeros(x.size(0), 4)
        state: Any = (zeros, zeros) if isinstance(self.cell, nn.LSTMCell) else zeros
        found = []
        for step in range(3):
            state = self.cell(x[:, step], state)
            found.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(found, 1)


@pytest.mark.parametrize("cls", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_cell_in_a_loop(cls: Any) -> None:
    found = check(Loop(cls), x=(3, 6))
    assert nodes(found)["cell"]["layer"] == cls.__name__
