"""What an emitted file defines beside the classes of the graph, if they use it: text by name."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.analysis.names import PRIVATE, RESERVED

# what `nn.ModuleDict` refuses as a key: its own attributes
MODULE_DICT = RESERVED | PRIVATE | {"clear", "items", "keys", "pop", "update", "values"}

# each needs torch, Tensor and nn alone; `analysis.names.EMITTED` keeps the names free
HELPERS = {
    "_ModuleDict": '''\
class _ModuleDict(nn.ModuleDict):
    """A ModuleDict whose keys may be names of its own methods."""

    def add_module(self, name: str, module: nn.Module | None) -> None:
        self._modules[name] = module''',
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
