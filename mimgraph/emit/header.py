"""Write the head of an emitted file: its imports, the user's own classes, and helpers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import MethodType
from typing import Any

from mimgraph.emit.attributes import TAKEN
from mimgraph.emit.expressions import INDENT, WIDTH
from mimgraph.emit.tree import Class
from mimgraph.ir.code import Name, walk
from mimgraph.ir.lowering import Maker
from mimgraph.ops.registry import LIBRARIES

MODULES = frozenset({"torch", "peft", *LIBRARIES})  # imported under their own names
MEMBERS = {"create_feature_extractor": "torchvision.models.feature_extraction"}
_WORD = re.compile(r"\w+")


def used_names(classes: Iterable[Class]) -> set[str]:
    """Return every word of the names in code and annotations, of a dotted name the first."""
    texts: set[str] = set()
    for definition in classes:
        texts.add(definition.base.partition(".")[0])
        for function in definition.body:
            texts.add(function.returns)
            names: set[str] = set()
            for part in walk(*function.body):
                if isinstance(part, Name):
                    names.add(part.id)
            for parameter in function.parameters:
                texts.add(parameter.annotation)
                names.discard(parameter.name)  # an input may be called as a module is
            texts.update(name.partition(".")[0] for name in names)
    return words_in(texts)


def words_in(texts: Iterable[str]) -> set[str]:
    """Return the words of texts."""
    return set(_WORD.findall(" ".join(texts)))


def imports(names: AbstractSet[str]) -> tuple[str, ...]:
    """Return the import lines for these names."""
    typing = sorted(names & {"Any", "Self"})
    modules = sorted(map("import {}".format, MODULES & names))
    if "F" in names:
        modules = sorted([*modules, "import torch.nn.functional as F"])
    members = ["from torch import Tensor, nn" if "Tensor" in names else "from torch import nn"]
    for name, home in MEMBERS.items():
        if name in names:
            members.append(f"from {home} import {name}")
    lines = [f"from typing import {', '.join(typing)}", ""] if typing else []
    return (*lines, *modules, *sorted(members))


# Import the user's own classes and functions.


def importable(maker: Maker) -> tuple[Maker, str]:
    """Return what an import names, and the attributes from it to the class or function, `.Gate`."""
    if isinstance(maker, MethodType):
        assert isinstance(maker.__self__, type)
        thing, inner = importable(maker.__self__)
        return thing, f"{inner}.{maker.__name__}"
    outer, dot, inner = maker.__qualname__.partition(".")
    if not dot or "<locals>" in inner:  # what stands in a function no import reaches
        return maker, ""
    return getattr(sys.modules[maker.__module__], outer), dot + inner


def import_lines(imported: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the imports of each module, sorted as ruff does; several lines if one is too long."""
    by_module: dict[str, dict[str, str]] = {}
    for name, thing in imported.items():
        spelled = name if name == thing.__name__ else f"{thing.__name__} as {name}"
        by_module.setdefault(thing.__module__, {})[spelled] = thing.__name__
    return tuple(
        line
        for module, names in sorted(by_module.items())
        for line in _import(module, sorted(names, key=lambda spelled: _rank(names[spelled])))
    )


def _rank(name: str) -> tuple[bool, bool, str]:
    """Return the key that sorts constants first, then classes, then the rest, by their spelling."""
    is_constant = len(name) > 1 and name.isupper()
    return not is_constant, not name[:1].isupper(), name


def _import(module: str, names: list[str]) -> Iterator[str]:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"from {module} import ("
    yield from (f"{' ' * INDENT}{name}," for name in names)
    yield ")"


# Keep the text of functions and classes that an emitted file defines if its classes use them.


# names that torch's own dicts refuse as keys: their attributes, and those of every module
_OWN = TAKEN | {"clear", "items", "keys", "pop", "update", "values"}
REFUSED = {
    "ModuleDict": _OWN,
    "ParameterDict": _OWN | {"_keys", "copy", "fromkeys", "get", "popitem", "setdefault"},
}


def _any_name(kind: str) -> str:
    """Return the class of a dict of modules or parameters that takes the names which torch's refuses."""
    item = kind.lower()
    return f'''\
class _{kind}Dict(_Keyed):
    """{kind}s by any name; an nn.{kind}Dict takes none of its own attributes."""

    def __init__(self, {item}s: dict[str, nn.{kind}], attributes: dict[str, str]) -> None:
        super().__init__(attributes)
        self._{item}s.update({{attributes.get(key, key): x for key, x in {item}s.items()}})

    def __getitem__(self, key: str) -> nn.{kind}:
        {item} = self._{item}s[self._attributes.get(key, key)]
        assert {item} is not None
        return {item}'''


# each needs torch, Tensor, Any, nn and create_feature_extractor alone; `ir.names.EMITTED` keeps the names free
HELPERS = {
    "_Keyed": '''\
class _Keyed(nn.Module):
    """A module whose state_dict has its own names for some attributes: `attributes`, by key."""

    def __init__(self, attributes: dict[str, str]) -> None:
        super().__init__()
        self._attributes = attributes

    def state_dict(self, *, prefix: str = "", **options: Any) -> dict[str, Any]:
        state = super().state_dict(prefix=prefix, **options)
        keys = {attribute: key for key, attribute in self._attributes.items()}
        return _with_names(state, prefix, keys)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        _with_names(state_dict, prefix, self._attributes)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _with_names(state: dict[str, Any], prefix: str, names: dict[str, str]) -> dict[str, Any]:
    """Change the names after the prefix, in place and in order."""
    for key in [key for key in state if key.startswith(prefix)]:
        name, dot, rest = key.removeprefix(prefix).partition(".")
        state[prefix + names.get(name, name) + dot + rest] = state.pop(key)
    return state''',
    "_ModuleDict": _any_name("Module"),
    "_ParameterDict": _any_name("Parameter"),
    "_features": '''\
def _features(model: nn.Module, names: list[str] | dict[str, str]) -> nn.Module:
    """The features of a model, each copied where more is computed from it, perhaps in place."""
    extractor: Any = create_feature_extractor(model, names)
    for graph in (extractor.train_graph, extractor.eval_graph):
        *_, output = graph.nodes
        for node in output.all_input_nodes:
            if len(node.users) > 1:
                with graph.inserting_after(node):
                    output.replace_input_with(node, graph.call_method("clone", (node,)))
    extractor.recompile()
    return extractor''',
    "_present": '''\
def _present(*tensors: Tensor | None) -> list[Tensor]:
    """Those of the tensors that were given."""
    return [x for x in tensors if x is not None]''',
    "_rois": '''\
def _rois(boxes: Tensor) -> Tensor:
    """The boxes of each image, (N, R, 4), in rows that begin with the image's index: (N*R, 5)."""
    index = torch.arange(boxes.shape[0], dtype=boxes.dtype, device=boxes.device)
    index = index.view(-1, 1, 1).expand(-1, boxes.shape[1], 1)
    return torch.cat((index, boxes), 2).flatten(0, 1)''',
    "_weighted_sum": '''\
def _weighted_sum(weights: tuple[Tensor, ...], tensors: tuple[Tensor | None, ...]) -> Tensor:
    """The sum of the tensors that were given, each by its weight."""
    pairs = zip(weights, tensors, strict=True)
    return torch.stack([weight * x for weight, x in pairs if x is not None]).sum(0)''',
    "_weighted_mean": '''\
def _weighted_mean(weights: tuple[Tensor, ...], tensors: tuple[Tensor | None, ...]) -> Tensor:
    """The mean of the tensors that were given, each by its weight."""
    given = [(weight, x) for weight, x in zip(weights, tensors, strict=True) if x is not None]
    total = torch.stack([weight * x for weight, x in given]).sum(0)
    return total / torch.stack([weight for weight, _ in given]).sum()''',
    "_sinusoid": '''\
def _sinusoid(length: int, width: int) -> Tensor:
    """Positions as sine and cosine, interleaved (Vaswani et al., 2017): (length, width)."""
    rates = 10000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack((angles.sin(), angles.cos()), 2).flatten(1)[:, :width]''',
    "_sines_cosines": '''\
def _sines_cosines(length: int, width: int) -> Tensor:
    """Positions as sines, then cosines, at rates from 1 to 1 / 10000: (length, width)."""
    half = width // 2
    angles = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(half) / (half - 1))
    return torch.cat((angles.sin(), angles.cos()), 1)''',
}


def helpers(names: Iterable[str]) -> dict[str, str]:
    """Return the helpers that are among the names, and those that they use."""
    wanted = set(names)
    if not wanted.isdisjoint(("_ModuleDict", "_ParameterDict")):
        wanted.add("_Keyed")
    return {name: text for name, text in HELPERS.items() if name in wanted}
