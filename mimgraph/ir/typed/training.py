"""How the weights of a typed node are trained: the values of its words, computed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Rate(NamedTuple):
    """A learning rate, or a multiple of the optimizer's rate."""

    value: float
    is_multiple: bool = False

    def __str__(self) -> str:
        return f"{self.value:g}x" if self.is_multiple else f"{self.value:g}"

    @property
    def written(self) -> str | float:
        """The rate as a spec writes it: `0.1x`, 0.001."""
        return str(self) if self.is_multiple else self.value


@dataclass(frozen=True, slots=True)
class Adapter:
    """Low-rank adapters (LoRA) of inner layers, as the library peft makes them.

    `on` are the ends of the paths of these layers, as they are written, and `targets` has each layer by
    its path in the node's module, with the class of torch that it is of.
    """

    rank: int
    on: tuple[str, ...]
    alpha: float | None = None
    dropout: float | None = None
    targets: tuple[tuple[str, str], ...] = ()

    @property
    def written(self) -> dict[str, Any]:
        """The options as a spec writes them."""
        given = {"rank": self.rank, "on": [*self.on], "alpha": self.alpha, "dropout": self.dropout}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Training:
    """The settings of a node for its weights and for all inside it that say nothing else.

    `until` is the child up to which its weights are frozen, and `frozen_parts` are the modules and
    tensors that this freezes, by their paths in the node's module.
    """

    until: str = ""
    frozen_parts: tuple[str, ...] = ()
    lr: Rate | None = None
    weight_decay: float | None = None
    lora: Adapter | None = None

    @property
    def changes_weights(self) -> bool:
        """Whether a part of the weights is frozen, or some have adapters."""
        return bool(self.frozen_parts) or self.lora is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """The settings as short texts: `frozen until layer3`, `lr 0.1x`."""
        words = {**self.words}
        if self.lora is not None:
            words["lora"] = f"{self.lora.rank} on {', '.join(self.lora.on)}"
        until = [f"frozen {words.pop('freeze')}"] if self.until else []
        values = {k: f"{v:g}" if isinstance(v, float) else v for k, v in words.items()}
        return (*until, *(f"{name} {value}" for name, value in values.items()))

    @property
    def words(self) -> Mapping[str, Any]:
        """The settings as a spec writes them, by name; `freeze` for `until`."""
        found: dict[str, Any] = {}
        if self.until:
            found["freeze"] = f"until {self.until}"
        if self.lr is not None:
            found["lr"] = self.lr.written
        if self.weight_decay is not None:
            found["weight_decay"] = self.weight_decay
        if self.lora is not None:
            found["lora"] = self.lora.written
        return found
