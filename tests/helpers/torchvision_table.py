"""Find with torch what `mimgraph/encoders/torchvision_models.json` says about torchvision's classifiers.

    python -m tests.helpers.torchvision_table [MODEL ...]

writes the file, which takes some minutes, or replaces these models in it.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import get_model, get_model_builder, get_model_weights, list_models
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from mimgraph.encoders.probe import size
from mimgraph.encoders.torchvision import FILE
from mimgraph.encoders.without_weights import made

Shapes = dict[str, tuple[int, ...]]

CLASSES = 1009  # a size that nothing else in a model has
FIXED = 224  # the size of models that take only one
# given to a builder to see whether it takes the option
TRIED: dict[str, object] = {
    "dropout": 0.25,
    "drop_rate": 0.25,
    "attention_dropout": 0.25,
    "stochastic_depth_prob": 0.25,
    "zero_init_residual": True,
    "replace_stride_with_dilation": [False, False, True],
    "image_size": 448,
}
CONTAINERS = ("features", "layers", "blocks", "encoder", "encoder.layers")  # of stages
PLUMBING = re.compile(r"x|getitem|getattr|_assert|floordiv|mul|eq|reshape|expand|cat|class_token")


def models() -> list[str]:
    """Return the classifiers of torchvision."""
    return list_models(module=torchvision.models)


def written(table: dict[str, Any]) -> str:
    """Return the text of the file, a line for each model."""
    head = {key: value for key, value in table.items() if key != "models"}
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in table["models"].items()]
    joined = ",\n".join(lines)
    return f'{json.dumps(head)[:-1]}, "models": {{\n{joined}\n}}}}\n'


def entry(model: str) -> dict[str, Any]:
    """Return what the file says about a model."""
    weights = get_model_weights(model).__members__
    always = {"aux_logits": False} if _takes(model, "aux_logits", False) else {}
    found: dict[str, Any] = {
        "weights": {name: one.url.rpartition("/")[2] for name, one in weights.items()}
    }
    options = [name for name, value in TRIED.items() if _takes(model, name, value)]
    found |= {"options": options} if options else {}
    if always:  # without weights these warn that how they are initialized will change
        found |= {"always": always, "anew": {"init_weights": True}}
    if "image_size" in options:
        found["image_sizes"] = {name: one.meta["min_size"][0] for name, one in weights.items()}
    return found | _shapes(model, always)


def _takes(model: str, option: str, value: object) -> bool:
    """Return whether the builder of a model takes an option."""
    if option not in _parameters(model):
        return False
    try:
        made(partial(get_model, model, weights=None, **{option: value}))
    except (TypeError, ValueError, NotImplementedError):
        return False
    return True


def _parameters(model: str) -> set[str]:
    """Return the parameters of the builder of a model and of the class that it makes."""
    builder = get_model_builder(model)
    cls = type(made(partial(get_model, model, weights=None)))
    return {*inspect.signature(builder).parameters, *inspect.signature(cls).parameters}


def _shapes(model: str, always: dict[str, bool]) -> dict[str, Any]:
    """Return the shapes of the features and of the result, and which images a model takes."""
    whole = made(partial(get_model, model, weights=None, num_classes=CLASSES, **always))
    train, evaluation = get_graph_node_names(whole)
    assert train == evaluation
    nodes = {name: _last_in(name, evaluation) for name in _features(evaluation)}
    numbers = {node: str(number) for number, node in enumerate(dict.fromkeys(nodes.values()))}
    extractor = create_feature_extractor(whole, numbers)
    run = partial(_run, extractor, {name: numbers[node] for name, node in nodes.items()})
    takes_any = _works(run, 256, 288) or _works(run, 255, 287)
    first = run(FIXED, FIXED)
    texts = {name: list(map(str, shape[1:])) for name, shape in first.items()}
    if takes_any:
        texts = _fitted(run)
    texts = {
        n: ["num_classes" if t == str(CLASSES) else t for t in text] for n, text in texts.items()
    }
    limit = {"least": _least(whole)} if takes_any else {"exact": FIXED}
    result = texts.pop(_last(whole, evaluation, first))
    return limit | {
        "result": ", ".join(result),
        "features": {n: ", ".join(t) for n, t in texts.items() if "num_classes" not in t},
    }


def _features(nodes: list[str]) -> Iterator[str]:
    """Yield the parts of a model that people take features of: those at the top, and stages in lists."""
    for node in nodes:
        parts = node.split(".")
        for depth in range(1, len(parts) + 1):
            parent, name = ".".join(parts[: depth - 1]), ".".join(parts[:depth])
            if depth == 1 and not PLUMBING.match(name):
                yield name
            if parent in CONTAINERS and (depth < len(parts) or "encoder" not in parent):
                yield name


def _last_in(name: str, nodes: list[str]) -> str:
    """Return the last node of a part of a model, whose result is the part's."""
    return next(node for node in reversed(nodes) if f"{node}.".startswith(f"{name}."))


def _run(extractor: nn.Module, keys: dict[str, str], height: int, width: int) -> Shapes:
    """Return the shapes of the features of an image."""
    with torch.no_grad():
        found = extractor(torch.empty(2, 3, height, width, device="meta"))
    tensors = {name: found[key] for name, key in keys.items()}
    return {
        name: tuple(one.shape)
        for name, one in tensors.items()
        if isinstance(one, Tensor) and one.dim() > 1
    }


def _works(run: Callable[[int, int], Shapes], height: int, width: int) -> bool:
    try:
        run(height, width)
    except (RuntimeError, AssertionError, ValueError):
        return False
    return True


class Fit(NamedTuple):
    """A size that may be that of an axis: `(H + shift)//step`, or a number."""

    letter: str
    shift: int
    step: int

    def at(self, sizes: Mapping[str, int]) -> int:
        """Return the size for an image of this height and width."""
        return (sizes[self.letter] + self.shift) // self.step if self.letter else self.shift

    @property
    def text(self) -> str:
        """Return the size as specs write it."""
        return str(
            size(f"({self.letter} + {self.shift})//{self.step}" if self.letter else str(self.shift))
        )


FITS = [
    Fit(letter, shift, 2**power)
    for power in range(7)
    for letter in "HW"
    for shift in range(-6 * 2**power, 2**power)
]


def _fitted(run: Callable[[int, int], Shapes]) -> dict[str, list[str]]:
    """Return the shapes of the features as expressions of H and W, from runs at sizes that tell apart
    what they may be."""
    left: dict[tuple[str, int], list[Fit]] = {}
    sizes = {"H": 256, "W": 307}
    while True:
        shapes = run(*sizes.values())
        for name, shape in shapes.items():
            for axis, found in enumerate(shape[1:]):
                known = left.get((name, axis), [*FITS, Fit("", found, 1)])
                left[name, axis] = [fit for fit in known if fit.at(sizes) == found]
                assert left[name, axis], f"axis {axis} of {name} is {found}"
        unclear = {tuple(fits) for fits in left.values() if len(fits) > 1}
        if not unclear:
            break
        sizes = min(
            ({"H": h, "W": 256 + h * 7 % 192} for h in range(256, 448)),
            key=partial(_largest, unclear),
        )
    return {
        name: [left[name, axis][0].text for axis in range(len(shape) - 1)]
        for name, shape in shapes.items()
    }


def _largest(unclear: Collection[Sequence[Fit]], sizes: Mapping[str, int]) -> int:
    """Return how many fits stay possible at worst after a run at these sizes."""
    return sum(max(Counter(fit.at(sizes) for fit in fits).values()) for fits in unclear)


def _least(model: nn.Module) -> int:
    """Return the smallest square image that a model takes."""
    low, high = 0, 256
    while high - low > 1:
        middle = (low + high) // 2
        try:
            with torch.no_grad():
                model(torch.empty(2, 3, middle, middle, device="meta"))
            high = middle
        except RuntimeError:
            low = middle
    return high


def _last(model: nn.Module, nodes: list[str], shapes: Shapes) -> str:
    """Return the feature that is the result of the model."""
    first = nodes[-1].split(".")
    names = [".".join(first[:depth]) for depth in range(1, len(first) + 1)]
    return next(name for name in names if name in shapes)


def main() -> None:
    """Write the file, after each model."""
    asked = sys.argv[1:]
    release = ".".join(torchvision.__version__.split(".")[:2])
    known = json.loads(FILE.read_text())["models"] if asked else {}
    for model in asked or models():
        print(model, flush=True)
        known[model] = entry(model)
        kept = {name: known[name] for name in sorted(known)}
        FILE.write_text(written({"torchvision": release, "models": kept}))


if __name__ == "__main__":
    main()
