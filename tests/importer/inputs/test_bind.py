"""Inputs are bound to the arguments of forward, which name them, and forward can be called with them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mimgraph.importer.inputs.bind import InputsMissing, bind
from mimgraph.importer.inputs.given import from_text
from mimgraph.importer.inputs.model import InputError, Slot
from mimgraph.importer.inputs.values import values


class Two(nn.Module):
    def forward(
        self, image: Tensor, text: Tensor, mask: Tensor | None = None, *, scale: float = 1.0
    ) -> Any:
        return {"image": image.shape, "text": text.shape, "mask": mask is not None, "scale": scale}


class Batch(nn.Module):
    def forward(self, batch: dict[str, Any], flag: bool) -> Any:
        return batch["image"].shape, [one.shape for one in batch["views"]], flag


class Many(nn.Module):
    def forward(
        self, first: Tensor, /, *others: Tensor, last: Tensor | None = None, **more: Tensor
    ) -> Any:
        return first.shape, [one.shape for one in others], last is None, sorted(more)


class Double(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2, dtype=torch.float64)

    def forward(self, input: Tensor, self_: Tensor, N: Tensor) -> Any:
        return self.fc(input)


S = torch.Size
BOUND: dict[str, tuple[type[nn.Module], Any, list[str], Any]] = {
    "by name": (
        Two,
        {"text": ("T",), "image": (3,)},
        ["text", "image"],
        {"image": S([2, 3]), "text": S([2, 5]), "mask": False, "scale": 1.0},
    ),
    "by position": (
        Two,
        [(3,), ("T",), torch.ones(4, 7)],
        ["image", "text", "mask"],
        {"image": S([2, 3]), "text": S([2, 5]), "mask": True, "scale": 1.0},
    ),
    "constants": (
        Two,
        {"image": (3,), "text": (), "mask": None, "scale": 0.5},
        ["image", "text"],
        {"image": S([2, 3]), "text": S([2]), "mask": False, "scale": 0.5},
    ),
    "a dict with a list": (
        Batch,
        {"batch": {"image": (3,), "views": [("T",), torch.ones(2, 4)]}, "flag": True},
        ["batch_image", "batch_views_0", "batch_views_1"],
        (S([2, 3]), [S([2, 5]), S([2, 4])], True),
    ),
    "more by position": (
        Many,
        [(1,), (2,), (3,)],
        ["first", "others_0", "others_1"],
        (S([2, 1]), [S([2, 2]), S([2, 3])], True, []),
    ),
    "more by name": (
        Many,
        {"first": (1,), "last": (2,), "x": (3,), "y": (4,)},
        ["first", "last", "x", "y"],
        (S([2, 1]), [], False, ["x", "y"]),
    ),
    "one tensor": (nn.ReLU, torch.zeros(2, 3), ["input"], torch.zeros(2, 3)),
    "one shape": (nn.Identity, (3,), ["input"], None),
}


@pytest.mark.parametrize("name", BOUND)
def test_forward_can_be_called(name: str) -> None:
    cls, given, names, wanted = BOUND[name]
    model = cls()
    found = bind(model, given)
    assert [one.name for one in found.inputs] == names
    args, kwargs = found.call(values(found.inputs, 2, {"T": 5}, 0))
    result = model(*args, **kwargs)
    if isinstance(wanted, Tensor):
        assert torch.equal(result, wanted)
    elif wanted is not None:
        assert result == wanted


def test_what_forward_can_do_without_is_left_out() -> None:
    found = bind(Two(), {"image": (3,), "text": ("T",)})
    assert found.omitted == ("mask", "scale") and "mask" not in found.arguments.kwargs


def test_names_and_dtypes() -> None:
    found = bind(
        Double(), {"input": (3,), "self_": torch.zeros(4, 2, dtype=torch.uint8), "N": ("T",)}
    )
    assert [(one.name, one.shape, one.dtype) for one in found.inputs] == [
        ("input", (3,), "float64"),
        ("self_", (2,), "uint8"),
        ("N", ("T",), "float64"),
    ]


def test_a_name_that_no_input_can_have() -> None:
    found = bind(Many(), {"first": (1,), "torch": (2,), "a b": (3,), "class": (4,)})
    assert [one.name for one in found.inputs] == ["first", "torch_input", "a_b", "class_input"]
    assert found.arguments.kwargs["a b"] == Slot("a_b")


def test_sizes_for_an_example() -> None:
    example = torch.zeros(2, 7, dtype=torch.int64)
    more = [from_text("text=T:vocab=9"), from_text("image=3")]
    text, image = bind(Two(), {"text": example}, more).inputs
    assert (text.shape, text.vocab, text.dtype, image.shape) == (("T",), 9, "int64", (3,))
    assert text.example is example


def test_paths_of_the_command_line() -> None:
    more = [from_text(one) for one in ("batch.image=3", "batch.views=4", "flag=true")]
    found = bind(Batch(), {}, more)
    assert found.arguments.kwargs == {
        "batch": {"image": Slot("batch_image"), "views": Slot("batch_views")},
        "flag": True,
    }


def test_paths_into_lists() -> None:
    more = [from_text(one) for one in ("first=1", "others.0=2", "others.1=T:vocab=3")]
    found = bind(Many(), {}, more)
    assert [one.name for one in found.inputs] == ["first", "others_0", "others_1"]
    assert found.arguments.args == (Slot("first"), Slot("others_0"), Slot("others_1"))
    example = [torch.zeros(2, 1), torch.zeros(2, 4)]
    found = bind(Many(), example, [from_text("others.0=T")])
    assert found.inputs[1].shape == ("T",) and found.inputs[1].example is example[1]
    with pytest.raises(InputError, match="3 is none of 1 inputs"):
        bind(Many(), example, [from_text("others.3=T")])


WRONG: dict[str, tuple[type[nn.Module], Any, str]] = {
    "an unknown name": (
        Two,
        {"imag": (3,)},
        "Two.forward has no argument imag: did you mean image?",
    ),
    "too many": (nn.ReLU, [(3,), (3,)], "2 inputs are given, and ReLU.forward takes 1"),
    "two batches": (
        Two,
        [torch.zeros(2, 3), torch.zeros(4, 3)],
        "axis 0 of every example is the batch, but image has 2, text has 4",
    ),
    "none": (
        Two,
        {},
        (
            "Two.forward(image, text, mask=None, *, scale=1.0) needs image, text: give shapes without "
            'the batch, {"image": (3, 224, 224), "text": {"shape": ("T",), "vocab": 1000}}'
        ),
    ),
    "one is missing": (
        Batch,
        {"flag": True},
        (
            "Batch.forward(batch, flag) needs batch: no usual shape runs, so give the shape without the "
            'batch, as in {"image": (3, 224, 224)}'
        ),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_inputs(name: str) -> None:
    cls, given, message = WRONG[name]
    with pytest.raises(InputError) as caught:
        bind(cls(), given)
    assert str(caught.value) == message


def test_missing_inputs_on_the_command_line() -> None:
    with pytest.raises(InputsMissing) as caught:
        bind(Two(), {}, [from_text("image=3")])
    assert caught.value.for_command.endswith(
        "needs text: give shapes without the batch, --input text=T:vocab=1000"
    )


PROPOSED: dict[str, tuple[nn.Module, str]] = {
    "a vector": (nn.Linear(7, 2), "--input input=7"),
    "a sequence": (nn.LSTM(12, 5, batch_first=True), "--input input=T,12"),
    "categories": (nn.Embedding(50, 3), "--input input=T:vocab=50"),
    "an image": (nn.Conv2d(1, 6, 5), "--input input=1,224,224"),
    "a flat image": (nn.Sequential(nn.Flatten(), nn.Linear(784, 9)), "--input input=784"),
    "an image of one size": (
        nn.Sequential(nn.Conv2d(1, 2, 5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 9)),
        "--input input=1,28,28",
    ),
}


@pytest.mark.parametrize("name", PROPOSED)
def test_proposed_inputs_run(name: str) -> None:
    model, option = PROPOSED[name]
    with pytest.raises(InputsMissing) as caught:
        bind(model, None)
    assert caught.value.for_command.endswith(f"give shapes without the batch, {option}")
    proposed = bind(model, {}, [from_text(option.removeprefix("--input "))])
    made = values(proposed.inputs, 2, {"T": 4}, seed=0)
    call = proposed.call(made)
    model(*call.args, **call.kwargs)


def test_sizes_that_an_example_has_not() -> None:
    with pytest.raises(InputError, match=r"the example of x has the shape \(3,\), not \(4,\)"):
        bind(Many(), {"first": (1,), "x": torch.zeros(2, 3)}, [from_text("x=4")])


def test_a_path_into_an_input() -> None:
    with pytest.raises(InputError, match="image has no inputs inside"):
        bind(Two(), {"image": (3,), "text": (3,)}, [from_text("image.left=4")])
