"""Know the models of sentence_transformers as layers: `sentence_transformers.SentenceTransformer`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, Literal

from mimgraph.encoders.encoder import Encoder, option
from mimgraph.encoders.macs import macs
from mimgraph.encoders.probe import Model, shapes
from mimgraph.encoders.transformers import configs
from mimgraph.encoders.transformers.checkpoints import Checkpoint, checkpoint
from mimgraph.encoders.transformers.configs import FAMILIES, Config
from mimgraph.encoders.transformers.sources import tokens
from mimgraph.encoders.transformers.table_models import TableModel
from mimgraph.ir.code import Call, Constant, Dict, Operand
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import MODULE, RESULT, LazyMapping, Lowering, Module, Port
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import REQUIRED, InputSpec, OpFault, OptionSpec

NAME = "SentenceTransformer"
TAKES = ("input_ids", "attention_mask", "token_type_ids")
PARTS = ("Transformer", "Pooling", "Normalize")  # of a model, the kinds whose results are known
_DOC = """\
A model for sentences, pooled: (N, T) of tokens -> sentence_embedding (N, D), token_embeddings.

`pretrained` is the name of a checkpoint on the Hugging Face hub, and `revision` its branch, tag or
commit. The numbers of the tokens and the mask are made by the model's own tokenizer."""


def encoder(model: str) -> Encoder | None:
    """Return a model of sentence_transformers as a layer; None if mimgraph knows none with this name."""
    return SentenceModel() if model == NAME else None


def names() -> list[str]:
    """Return the names of the models."""
    return [NAME]


class SentenceModel(Encoder):
    """A SentenceTransformer, called on a dict of tensors."""

    reads_files = True

    def __init__(self) -> None:
        super().__init__(f"sentence_transformers.{NAME}", _DOC)

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        inputs = ("ids: {shape: [8], vocab: 30522}", "mask: {shape: [8], dtype: bool}")
        pretrained = "sentence-transformers/all-MiniLM-L6-v2"
        sources = "{input_ids: ids, attention_mask: mask}"
        return inputs, f"{{layer: {self.name}, from: {sources}, pretrained: {pretrained}}}"

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give."""
        return [option("pretrained", str, REQUIRED), option("revision", str | None, None)]

    @cached_property
    def inputs(self) -> InputSpec:
        """Return the sources by the names of the tokenizer's results."""
        return InputSpec(TAKES, frozenset(TAKES[1:]), "tuple")

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module, its call and its results."""
        revision = options["revision"]
        given = None if revision is None else str(plain(revision))
        source = checkpoint(str(plain(options["pretrained"])), given)
        config = _config(source)
        steps, requires = tokens(self.name, config, sources)
        pooled = _pooled(source, config.width)
        ports = {
            "sentence_embedding": Port(TensorType((pooled,)), RESULT.at("sentence_embedding")),
            "token_embeddings": Port(
                TensorType((steps, config.width)), RESULT.at("token_embeddings")
            ),
        }
        features = Dict(tuple((key, Operand(key)) for key in TAKES if key in sources))
        first = ports["sentence_embedding"].type
        return Lowering(
            *(first, _module(source, config), Call(MODULE, (features,)), ports),
            requires=requires,
            products=macs(TableModel(config).model(), {TAKES[0]: sources[TAKES[0]]}),
        )


def _config(source: Checkpoint) -> Config:
    """Return the config of the transformer, the first part of a model."""
    found = source.config()
    model = configs.model_of(str(found.get("model_type")))
    if model is None or FAMILIES[model].reads != "input_ids":
        message = f"{source.name} is of the model_type {found.get('model_type')!r:.60}"
        types = ", ".join(configs.model_types())
        raise _fault(message, f"mimgraph knows sentences by the model types {types}")
    return configs.read(model, found)


def _pooled(source: Checkpoint, width: int) -> int:
    """Return the size of the vector of a sentence; raise the fault of a part that changes it otherwise."""
    parts = source.json("modules.json")
    if not isinstance(parts, list):  # the library takes the mean of the tokens then
        return width
    count = 1
    for part in parts:
        kind = str(part.get("type", "")).rpartition(".") if isinstance(part, dict) else ("", "", "")
        if kind[2] not in PARTS or not kind[0].startswith("sentence_transformers."):
            message = f"{source.name} has a part {kind[2]!r:.60}, whose results are not known"
            raise _fault(message, f"take a model of {', '.join(PARTS)}")
        if kind[2] == "Pooling":
            folder = str(part.get("path", ""))
            is_inside = re.fullmatch(r"\w[\w-]{0,60}", folder, re.ASCII)
            count = _modes(source.json(f"{folder}/config.json") if is_inside else None)
    return count * width


def _modes(config: object) -> int:
    """Return the number of vectors that the pooling of a sentence puts side by side."""
    if not isinstance(config, dict):
        return 1
    modes = config.get("pooling_mode")
    if not isinstance(modes, list):
        flags = config.items()
        modes = [key for key, on in flags if key.startswith("pooling_mode_") and on is True]
    return max(len(modes), 1)


def _module(source: Checkpoint, config: Config) -> Module:
    """Return the call that makes the model."""
    revision = {"revision": source.revision} if source.revision else {}
    # without a device the library takes one by itself, without a dtype that of the file
    settings = Dict((("dtype", Constant("float32")), ("use_safetensors", Constant(True))))
    arguments = {"name": source.name, **revision, "device": "cpu", "model_kwargs": settings}
    weights, buffers = (_tensors(TableModel(config).model(), which) for which in WHICH)
    return Module(NAME, arguments, weights, buffers, package="sentence_transformers", positional=1)


Which = Literal["weights", "buffers"]
WHICH: tuple[Which, Which] = ("weights", "buffers")


def _tensors(model: Model, which: Which) -> LazyMapping[tuple[int, ...]]:
    """Return the shapes of the tensors by the names that they have inside of the pooled model."""
    key = (NAME, model.name, repr(model.options), which)
    return LazyMapping(key, partial(_inside, model, which))


def _inside(model: Model, which: Which) -> Mapping[str, tuple[int, ...]]:
    return {f"0.model.{name}": shape for name, shape in shapes(model, which).items()}


def _fault(message: str, help: str) -> OpFault:
    return OpFault("bad-option", message, option="pretrained", help=help)
