"""Find the results of a model that is not in the table: transformers makes it and runs it on the meta device."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.encoders.probe import Model, results
from mimgraph.encoders.transformers.configs import LARGEST, MOST_LAYERS, Reads
from mimgraph.encoders.transformers.table_models import Results
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import Module
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import OpFault

if TYPE_CHECKING:
    from torch import nn

MOST_ITEMS = 100  # of a list in a config
MOST_DEPTH = 3  # of configs inside of configs
# keys of a file that decide no shape
_IDLE = {
    *("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "use_cache"),
    *("id2label", "label2id", "task_specific_params"),
}
_TYPE = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,60}")
# by the words in a key the largest number: some models make modules or positions in a loop of Python
_COUNTS = re.compile(r"layer|depth|block|stage|expert")
_LAYERS = re.compile(r"layer|depth")
_POSITIONS = re.compile(r"position|ctx|length")
MOST_MODULES = 20_000
MOST_RUN = 256  # layers: each is made and run, while those of a model in the table are only counted
MOST_POSITIONS = 2**17
# keys that would choose code, files or another model
_OTHER_CODE = re.compile(r"auto_map|code|backbone|path|repo|file|attn_implementation|quantization")


class OtherModel(NamedTuple):
    """A model of a type that is not in the table; `values` is its config."""

    model_type: str
    values: Mapping[str, Any]

    @property
    def takes(self) -> tuple[str, ...]:
        """Return the names of the sources that the model may take."""
        return ("input_ids", "pixel_values", "attention_mask", "token_type_ids")

    @property
    def layers(self) -> None:
        """Return None: how many hidden states there are is found by a run."""
        return

    @property
    def extra(self) -> Mapping[str, Any]:
        """Return nothing, as no call needs more than the sources."""
        return {}

    def reads(self, sources: Mapping[str, TensorType]) -> Reads:
        """Return the name of the source that the model needs, which its dtype tells."""
        first = next(iter(sources.values()))
        return "pixel_values" if first.is_floating else "input_ids"

    def results(
        self, name: str, sources: Mapping[str, TensorType], layers: Sequence[int]
    ) -> Results:
        """Return the results of a call, of which `layers` are the hidden states that are read."""
        main = self.reads(sources)
        # masks change no shape, and transformers looks at their values
        found = results(self._model(main, tuple(layers)), {main: sources[main]})
        states = [found.pop(f"state_{index}") for index in range(len(layers))]
        return Results(found, states)

    def written(self) -> Module:
        """Return the config as code: `transformers.AutoConfig.for_model("opt", hidden_size=64)`."""
        arguments = {"model_type": self.model_type, **self.values}
        name = "AutoConfig.for_model"
        return Module(name, arguments, {}, {}, package="transformers", positional=1)

    def model(self) -> Model:
        """Return the model for the probe that counts its weights."""
        return self._model("", ())

    def _model(self, main: str, layers: tuple[int, ...]) -> Model:
        values = {key: plain(value) for key, value in self.values.items()}
        asked = {"type": self.model_type, "main": main, "layers": list(layers), **values}
        return Model(
            "transformers.AutoModel", asked, partial(_build, self.model_type, values, main, layers)
        )


def other_model(model_type: object, values: Mapping[str, Any]) -> OtherModel:
    """Return the model of a config that a spec gives; raise the fault of a value that no spec may give."""
    if not isinstance(model_type, str) or not _TYPE.fullmatch(model_type):
        raise _fault("model_type must be a word such as bert or distilbert")
    _check_all(values)
    return OtherModel(model_type, values)


def model_of_file(model_type: str, found: Mapping[str, Any]) -> OtherModel:
    """Return the model of the config in a file, without the keys that decide no shape; raise the fault
    of a value that no spec may give."""
    kept = {k: v for k, v in found.items() if k not in _IDLE and not k.startswith("_")}
    try:
        return other_model(model_type, kept)
    except OpFault as fault:
        raise replace(fault, option="pretrained", message=f"its config: {fault.message}") from fault


def _check_all(values: Mapping[str, Any], depth: int = 0) -> None:
    """Refuse keys that choose code, sizes that no model has, and configs nested too deep."""
    for key, value in values.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key) or _OTHER_CODE.search(key):
            help = "a spec cannot choose code or files: mimgraph never sets trust_remote_code"
            raise _fault(f"config cannot have {key!r:.60}", help)
        if isinstance(value, Mapping) and depth < MOST_DEPTH:
            _check_all(value, depth + 1)
        else:
            _check(key, value)
    if prod(_count(value) for key, value in values.items() if _COUNTS.search(key)) > MOST_MODULES:
        raise _fault(f"these numbers of layers and blocks make more than {MOST_MODULES} of them")


def _check(key: str, value: Any) -> None:
    """Refuse a value that is no plain data, or too large."""
    items = value if isinstance(value, list | tuple) else [value]
    most = MOST_LAYERS if _COUNTS.search(key) else LARGEST
    most = MOST_RUN if _LAYERS.search(key) else most
    most = MOST_POSITIONS if _POSITIONS.search(key) else most
    if len(items) > MOST_ITEMS:
        raise _fault(f"{key} has more than {MOST_ITEMS} items")
    for item in items:
        if not isinstance(item, bool | int | float | str | None):
            raise _fault(f"{key} must be a number, a word, or a list of them")
        if isinstance(item, str) and any(mark in item for mark in "/\\:"):
            help = "a spec cannot choose files, nor other models of the hub"
            raise _fault(f"{key} must be a word, without / and :", help)
        if isinstance(item, int | float) and not abs(item) <= most:
            raise _fault(f"{key} must be at most {most}")


def _count(value: Any) -> int:
    """Return the largest whole number in a value, at least 1."""
    items = value if isinstance(value, list | tuple) else [value]
    return max(1, *(int(item) for item in items if isinstance(item, int)), 1)


def _fault(message: str, help: str = "") -> OpFault:
    return OpFault("bad-option", message, option="config", help=help)


def _build(
    model_type: str, values: Mapping[str, Any], main: str, layers: tuple[int, ...]
) -> nn.Module:
    """Return the model without weights; with `main`, one that returns its tensors by name."""
    from mimgraph.encoders.transformers import runs

    model = runs.auto_model(model_type, values)
    return runs.tensors_of(model, main, layers) if main else model
