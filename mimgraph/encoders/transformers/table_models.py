"""Know the results and weights of the models in the table from their configs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.encoders.probe import Model
from mimgraph.encoders.transformers.configs import Config, Reads
from mimgraph.encoders.transformers.sources import tokens
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import Module
from mimgraph.ir.types import Constraint, TensorType

if TYPE_CHECKING:
    from torch import nn


TYPES = "token_type_ids"


class Results(NamedTuple):
    """The types of the outputs by name and of the chosen hidden states, and the constraints at run time."""

    outputs: Mapping[str, TensorType]
    states: Sequence[TensorType]
    requires: tuple[Constraint, ...] = ()


class TableModel(NamedTuple):
    """A model whose class is in the table."""

    config: Config

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the names of the sources that the model takes, the one that it needs first."""
        takes = self.config.family.takes
        return takes if self.config.reads_types else tuple(k for k in takes if k != TYPES)

    @property
    def layers(self) -> int:
        """Return the number of layers, each of which makes a hidden state from the one before."""
        return self.config.size(self.config.family.layers)

    @property
    def extra(self) -> Mapping[str, Any]:
        """Return what every call of the model says beside its sources."""
        return {"use_cache": False} if self.config.family.cached else {}

    def reads(self, sources: Mapping[str, TensorType]) -> Reads:
        """Return the name of the source that the model needs."""
        return self.config.family.reads

    def results(
        self, name: str, sources: Mapping[str, TensorType], layers: Sequence[int]
    ) -> Results:
        """Return the results of a call, of which `layers` are the hidden states that are read."""
        count, requires = tokens(name, self.config, sources)
        state = TensorType((count, self.config.width))
        outputs = {"last_hidden_state": state}
        if self.config.pooled:
            outputs["pooler_output"] = TensorType((self.config.pooled,))
        return Results(outputs, [state] * len(layers), requires)

    def written(self) -> Module:
        """Return the config as code: `transformers.BertConfig(hidden_size=64)`."""
        given = dict(self.config.given)
        return Module(self.config.name, given, {}, {}, package="transformers", positional=0)

    def model(self) -> Model:
        """Return the model for the probe that counts its weights."""
        config = self.config
        values = {key: plain(value) for key, value in config.given.items()}
        build = partial(_build, config.model, config.name, values)
        return Model(f"transformers.{config.model}", values, build)


def _build(model: str, config: str, values: Mapping[str, Any]) -> nn.Module:
    """Return the model without weights."""
    from mimgraph.encoders.transformers import runs

    return runs.table_model(model, config, values)
