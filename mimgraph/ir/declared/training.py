"""How the weights of a node are trained, as it is written: words of a node beside `freeze`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

from mimgraph.ir.declared.values import Option


@dataclass(frozen=True, slots=True)
class Training:
    """The words of a node that say how its weights are trained, each None where it is not given.

    `freeze_until` is the text in `freeze: until layer3`. `lora` is the whole mapping, and `lora_parts`
    has its entries by name, if it is one. An operation that has an option of the name `lr`,
    `weight_decay` or `lora` keeps it: `with_words_as_options` moves the word there.
    """

    freeze_until: Option | None = None
    lr: Option | None = None
    weight_decay: Option | None = None
    lora: Option | None = None
    lora_parts: Mapping[str, Option] = field(default_factory=dict)

    @property
    def given(self) -> Mapping[str, Option]:
        """The words that are given, by the name that a spec gives them, `freeze` for `freeze_until`."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        named = {"freeze": named.pop("freeze_until"), **named}
        return {name: one for name, one in named.items() if isinstance(one, Option)}

    def every_option(self) -> Iterator[Option]:
        """Yield the options, of `lora` each entry instead of the whole if it is a mapping."""
        yield from (
            one for name, one in self.given.items() if name != "lora" or not self.lora_parts
        )
        yield from self.lora_parts.values()

    def map(self, change: Callable[[Option], Option]) -> Training:
        """Return the words with every option changed."""
        parts = {name: change(one) for name, one in self.lora_parts.items()}
        changed = {
            one.name: change(value)
            for one in fields(self)
            if isinstance(value := getattr(self, one.name), Option)
        }
        return Training(**changed, lora_parts=parts)

    def with_word(self, name: str, option: Option | None) -> Training:
        """Return the words with another value of one of them; None takes it away."""
        match name:
            case "lr":
                return replace(self, lr=option)
            case "weight_decay":
                return replace(self, weight_decay=option)
        return replace(self, lora=option, lora_parts={})

    def without(self, name: str) -> Training | None:
        """Return the words without one of them; None if there are no others."""
        rest = self.with_word(name, None)
        return rest if rest.given else None
