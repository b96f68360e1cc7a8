"""What an emitted file defines beside the classes of the graph, if they use it: text by name."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.analysis.names import PRIVATE, RESERVED

# what torch's own dicts refuse as a key: their own attributes
_OWN = RESERVED | PRIVATE | {"clear", "items", "keys", "pop", "update", "values"}
REFUSED = {
    "ModuleDict": _OWN,
    "ParameterDict": _OWN | {"_keys", "copy", "fromkeys", "get", "popitem", "setdefault"},
}


def _any_name(kind: str) -> str:
    """A dict of modules or parameters that takes the names which torch's refuses."""
    item = kind.lower()
    return f'''\
class _{kind}Dict(nn.Module):
    """{kind}s by any name; an nn.{kind}Dict takes none of its own attributes."""

    def __init__(self, {item}s: dict[str, nn.{kind}]) -> None:
        super().__init__()
        self._{item}s.update({item}s)

    def __getitem__(self, name: str) -> nn.{kind}:
        {item} = self._{item}s[name]
        assert {item} is not None
        return {item}

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.__dict__:  # as training is, whatever {item} has that name
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)'''


# each needs torch, Tensor and nn alone; `analysis.names.EMITTED` keeps the names free
HELPERS = {
    "_ModuleDict": _any_name("Module"),
    "_ParameterDict": _any_name("Parameter"),
    "_present": '''\
def _present(*tensors: Tensor | None) -> list[Tensor]:
    """Those of the tensors that were given."""
    return [x for x in tensors if x is not None]''',
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
}


def helpers(names: Iterable[str]) -> dict[str, str]:
    """Those of the helpers that are among the names."""
    wanted = set(names)
    return {name: text for name, text in HELPERS.items() if name in wanted}
