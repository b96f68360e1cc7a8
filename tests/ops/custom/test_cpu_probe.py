"""Checks modules that read the data of their sources: they are run on the CPU, in a process with limits."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mimgraph as mg
from mimgraph import layers
from mimgraph.ir.types import TensorType
from mimgraph.ops.custom import probe
from mimgraph.ops.custom.registration import made
from mimgraph.ops.custom.runs import CPU, META, results
from mimgraph.support import limited_process
from tests.conftest import in_ci
from tests.ops.custom.test_register import Joined, Patches, Positions, Steps, Table
from tests.ops.layers.oracle import tensor


class Scaled(nn.Module):
    """A layer scaled by the largest number that it sees."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(8, width)
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        if x.sum().item() > 1e9:
            raise ValueError("too large")
        result: Tensor = self.proj(x) * float(x.abs().max())
        return result


class Rates(nn.Module):
    """A module whose constructor reads data."""

    def __init__(self, depth: int = 3) -> None:
        super().__init__()
        self.rates = [rate.item() for rate in torch.linspace(0, 1, depth)]
        self.layers = nn.ModuleList(nn.Linear(8, 8) for _ in self.rates)

    def forward(self, x: Tensor) -> Tensor:
        for rate, layer in zip(self.rates, self.layers, strict=True):
            x = layer(x) * rate
        return x


class Strided(nn.Module):
    """Every other step, and whether any is positive."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        has = bool((x > 0).any())
        return x[:, ::2], torch.full(x.shape[:1], has)


class Looked(nn.Module):
    """A table that is looked up, of the longest of some lengths."""

    def __init__(self, entries: int = 3) -> None:
        super().__init__()
        self.table = nn.Embedding(entries, 4)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        rows = self.table(ids)
        if mask is not None and mask.any().item():
            rows = rows * mask.unsqueeze(-1)
        return {"rows": rows, "mean": torch.from_numpy(rows.detach().numpy()).mean(1)}


class Packed(nn.Module):
    """A recurrent layer on packed steps, whose lengths torch reads."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(8, 4, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths.tolist(), batch_first=True, enforce_sorted=False
        )
        hidden: Tensor = self.rnn(packed)[1]
        return hidden[0]


class Convolved(nn.Module):
    """Images at a sixteenth of their size."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(nn.Conv2d(3, 3, 3, stride=2, padding=1) for _ in range(4)))

    def forward(self, image: Tensor) -> Tensor:
        result: Tensor = self.net(image / image.std().item())
        return result


READS: dict[str, tuple[type[nn.Module], dict[str, Any], dict[str, Any], str]] = {
    "a number": (Scaled, {"x": "[T, 8]"}, {"width": 5}, "(N, T, 5)"),
    "no names": (Scaled, {"x": "[8]"}, {"width": 5}, "(N, 5)"),
    "in its constructor": (Rates, {"x": "[T, 8]"}, {"depth": 4}, "(N, T, 8)"),
    "a branch": (Strided, {"x": "[T, 8]"}, {"take": 0}, "(N, (T + 1)//2, 8)"),
    "indices": (
        Looked,
        {"ids": "{shape: [T], dtype: int64}"},
        {"take": "rows"},
        "(N, T, 4)",
    ),
    "a mask": (
        Looked,
        {"ids": "{shape: [T], dtype: int32}", "mask": "{shape: [T], dtype: bool}"},
        {"take": "mean"},
        "(N, 4)",
    ),
    "lengths": (Packed, {"x": "[T, 8]", "lengths": "{shape: [], dtype: int64}"}, {}, "(N, 4)"),
    "images": (Convolved, {"image": "[3, H, W]"}, {}, "(N, 3, (H + 15)//16, (W + 15)//16)"),
}


@pytest.mark.parametrize("case", [in_ci(case, unless=case == "a number") for case in READS])
def test_shape_of_what_reads_data(case: str) -> None:
    cls, inputs, options, shape = READS[case]
    mg.register(cls)
    given = "".join(f", {name}: {value}" for name, value in options.items())
    sources = ", ".join(f"{name}: {name}" for name in inputs)
    declared = ", ".join(f"{name}: {type_}" for name, type_ in inputs.items())
    graph = mg.loads(
        f"inputs: {{{declared}}}\nnodes:\n"
        f"  y: {{layer: {cls.__name__}, from: {{{sources}}}{given}}}\noutputs: y\n"
    )
    assert str(graph.outputs["y"].shape) == shape
    model = graph.compile()
    assert graph.summary().params == sum(p.numel() for p in model.parameters())


# --- the same as on the meta device ---------------------------------------------------------------


class Pooled(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        best, at = x.max(1)
        return best.double(), at


BOTH: dict[str, tuple[Callable[[], nn.Module], list[TensorType]]] = {
    "a loop": (Steps, [tensor("T", 8)]),
    "a bounded length": (Positions, [tensor("T", 8)]),
    "whole patches": (Patches, [tensor(3, "H", 32)]),
    "two lengths": (Joined, [tensor("T", 8), tensor("S", 8)]),
    "one length": (Joined, [tensor("T", 8), tensor("T", 8)]),
    "no batch": (Table, [tensor(8)]),
    "two results": (Pooled, [tensor("T", 8)]),
    "known sizes": (lambda: nn.Bilinear(2, 3, 5), [tensor(2), tensor(3)]),
    "a transformer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        [tensor("T", 8)],
    ),
    "whole numbers": (lambda: nn.Embedding(2, 4), [tensor("T", dtype="int64")]),
    "batch statistics": (lambda: nn.BatchNorm2d(3), [tensor(3, "H", "W")]),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BOTH)
def test_the_cpu_answers_as_the_meta_device_does(case: str) -> None:
    make, sources = BOTH[case]
    assert_alike(make(), sources)


def assert_alike(module: nn.Module, sources: list[TensorType]) -> None:
    op = made(type(module), "Probed", None)
    on_cpu = results(op, module, sources, {}, CPU)
    assert on_cpu == results(op, module.to("meta"), sources, {}, META)


@pytest.mark.slow
@settings(max_examples=25)
@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 8),
    padding=st.integers(0, 3),
    dilation=st.integers(1, 3),
    transposed=st.booleans(),
)
def test_the_cpu_answers_as_the_meta_device_does_for_any_convolution(
    kernel: int, stride: int, padding: int, dilation: int, transposed: bool
) -> None:
    cls = nn.ConvTranspose1d if transposed else nn.Conv1d
    module = cls(2, 2, kernel, stride=stride, padding=padding, dilation=dilation)
    assert_alike(module, [tensor(2, "T")])


# --- faults ---------------------------------------------------------------------------------------


class Bad(nn.Module):
    """Does something odd once it has read data."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Any:
        number = x.sum().item()
        match self.what:
            case "hang":
                while True:
                    print("a" * 1_000)
            case "segfault":
                ctypes.string_at(0)
            case "exit":
                os._exit(3)
            case "memory":
                return torch.ones(10**12)
            case "list":
                return [0] * 10**12
            case "refuse":
                raise ValueError("no such thing")
            case "leave":
                sys.exit("gone")
            case "number":
                return number
            case "select":
                return x[x > 0]
        return x


FAULTS = {
    "hang": ("cannot-run", "it took more than 1 s, at test_cpu_probe.py:"),
    "segfault": ("cannot-run", "its process crashed: Segmentation fault"),
    "exit": ("cannot-run", "it ended its process with status 3"),
    "memory": ("cannot-run", "it needs more memory than it may have"),
    "list": ("cannot-run", "it needs more memory than it may have"),
    "leave": ("cannot-run", "SystemExit: gone"),
    "refuse": ("shape-mismatch", "no such thing"),
    "number": ("wrong-type", ""),
    "select": ("symbolic-size", ""),
}


@pytest.mark.parametrize("what", [in_ci(what, unless=what == "refuse") for what in FAULTS])
def test_what_goes_wrong_is_reported_at_the_node(
    what: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe, "SECONDS", 1.0)
    asked: list[Any] = []
    call = probe.call

    def counted(*given: Any) -> Any:
        asked.append(given)
        return call(*given)

    monkeypatch.setattr(probe, "call", counted)
    code, note = FAULTS[what]
    mg.register(Bad)
    counts = []
    for _ in range(2):
        with pytest.raises(mg.SpecError) as raised:
            mg.loads(
                f"inputs: {{x: [8]}}\nnodes:\n  y: {{layer: Bad, from: x, what: {what}}}\noutputs: y\n"
            )
        (fault,) = raised.value.diagnostics
        assert (fault.code, fault.span.line) == (code, 3) and note in fault.note
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0, "the second time it is known"
    assert code != "cannot-run" or fault.help == "give its shapes: mg.register(Bad, shape=...)"
    assert capfd.readouterr() == ("", "")


class Forking(nn.Module):
    """Starts a process that waits for ever, and tells its number to a pipe."""

    def __init__(self, pipe: int) -> None:
        super().__init__()
        self.pipe = pipe

    def forward(self, x: Tensor) -> Tensor:
        x.sum().item()
        number = os.fork()
        if number == 0:
            signal.pause()
        os.write(self.pipe, b"%d\n" % number)
        return x


@pytest.mark.slow
def test_what_the_process_starts_ends_with_it() -> None:
    mg.register(Forking)
    told, pipe = os.pipe()
    assert layers.Forking(pipe)(mg.Input("x", (8,))).dims == (8,)
    numbers = [int(number) for number in os.read(told, 10_000).split()]
    for _ in range(1_000):  # a signal takes its time
        if not any(map(is_running, numbers)):
            break
        time.sleep(0.01)
    assert numbers and not any(map(is_running, numbers))
    os.close(told)
    os.close(pipe)


def is_running(number: int) -> bool:
    try:
        status = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


class Huge(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(10**6, 10**6))

    def forward(self, x: Tensor) -> Tensor:
        return x * x.sum().item()


@pytest.mark.slow
def test_a_module_that_is_too_large_is_refused_before_it_is_made() -> None:
    mg.register(Huge)
    with pytest.raises(mg.SpecError, match=r"its tensors take 3725\.3 GiB") as raised:
        layers.Huge()(mg.Input("x", (8,)))
    assert raised.value.diagnostics[0].code == "cannot-run"
    mg.register(Huge, shape=lambda x: x)
    assert layers.Huge()(mg.Input("x", (8,))).dims == (8,)


@pytest.mark.slow
def test_a_probe_draws_no_random_numbers_and_keeps_the_threads() -> None:
    mg.register(Rates)
    torch.manual_seed(0)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    layers.Rates()(mg.Input("x", (8,)))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads


# --- a process that is no fork --------------------------------------------------------------------


@pytest.mark.slow
def test_elsewhere_the_process_imports_the_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited_process, "FORKS", False)
    source = "from torch import nn\n\n\nclass Read(nn.Module):\n    def forward(self, x):\n        return x * x.max().item()\n"
    (tmp_path / "reading.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    import reading  # type: ignore[import-not-found]

    mg.register(reading.Read)
    assert str(layers.Read()(mg.Input("x", ("T", 8))).shape) == "(N, T, 8)"


@pytest.mark.slow
def test_elsewhere_a_class_that_cannot_be_imported_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Local(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.max().item()

    mg.register(Local)
    x = mg.Input("x", (8,))
    assert layers.Local()(x).dims == (8,)
    monkeypatch.setattr(limited_process, "FORKS", False)
    mg.register(Local)
    with pytest.raises(mg.SpecError, match="another process cannot import it"):
        layers.Local()(x)
    Local.__module__, Local.__qualname__ = "__main__", "Local"
    mg.register(Local)
    with pytest.raises(mg.SpecError, match="another process cannot import it"):
        layers.Local()(x)


@pytest.mark.slow
def test_elsewhere_a_process_has_limits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_process, "FORKS", False)
    for what in ("exit", "segfault", "memory"):
        mg.register(Bad)
        with pytest.raises(mg.SpecError) as raised:
            layers.Bad(what)(mg.Input("x", (8,)))
        assert FAULTS[what][1] in raised.value.diagnostics[0].note


# --- a model of transformers ----------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_of_transformers_that_reads_its_mask() -> None:
    transformers = pytest.importorskip("transformers")

    def make_bert(layers: int = 1):  # type: ignore[no-untyped-def]
        config = transformers.BertConfig(
            num_hidden_layers=layers, hidden_size=32, num_attention_heads=2, intermediate_size=64
        )
        return transformers.BertModel(config)

    mg.register(make_bert)
    ids, mask = (mg.Input(name, ("T",), dtype="int64") for name in ("ids", "mask"))
    words = layers.make_bert()(ids, attention_mask=mask, name="words")
    assert str(words["last_hidden_state"].shape) == "(N, T, 32)"
    assert str(words["pooler_output"].shape) == "(N, 32)"
