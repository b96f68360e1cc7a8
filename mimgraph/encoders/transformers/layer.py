"""Define a model of transformers as a layer, with the options `pretrained`, `config` and `features`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from mimgraph.diagnostics.text import choices_of, put, remove, write
from mimgraph.diagnostics.text import code as as_code
from mimgraph.encoders.encoder import Encoder, option
from mimgraph.encoders.macs import macs
from mimgraph.encoders.transformers import configs
from mimgraph.encoders.transformers.checkpoints import Checkpoint, checkpoint
from mimgraph.encoders.transformers.configs import FAMILIES
from mimgraph.encoders.transformers.other_models import OtherModel, model_of_file, other_model
from mimgraph.encoders.transformers.table_models import TableModel
from mimgraph.ir.code import Attribute, Code, Operand, code
from mimgraph.ir.expression import plain
from mimgraph.ir.lowering import RESULT, Lowering, Module, Port, module_call
from mimgraph.ir.names import port_fault
from mimgraph.ir.types import TensorType
from mimgraph.ops.op import InputSpec, OpFault, OptionSpec

AUTO = "AutoModel"
Kind: TypeAlias = TableModel | OtherModel


class TransformerModel(Encoder):
    """A model of transformers: AutoModel, or a class such as BertModel."""

    reads_files = True

    def __init__(self, model: str) -> None:
        super().__init__(f"transformers.{model}", _DOC.format(model=model))
        self.model = model

    @property
    def example(self) -> tuple[tuple[str, ...], str]:
        """Return the inputs and a node that uses the model."""
        if self.model != AUTO and FAMILIES[self.model].reads == "pixel_values":
            side = TableModel(configs.Config(self.model, {})).config.size("image_size")
            return (f"image: [3, {side}, {side}]",), (
                f"{{layer: {self.name}, from: image, config: {{num_hidden_layers: 2}}}}"
            )
        given = "" if self.model != AUTO else "model_type: bert, "
        key = "num_hidden_layers" if self.model == AUTO else FAMILIES[self.model].layers
        node = f"{{layer: {self.name}, from: ids, config: {{{given}{key}: 2}}}}"
        return ("ids: {shape: [8], vocab: 1000}",), node

    def given_options(self) -> list[OptionSpec]:
        """Return the options that a spec may give."""
        features = int | tuple[int, ...] | dict[str, int] | None
        return [
            option("pretrained", str | None, None),
            option("revision", str | None, None),
            option("config", dict[str, Any] | None, None),
            option("features", features, None),
        ]

    @cached_property
    def inputs(self) -> InputSpec:
        """Return the sources by the names of the model's own arguments."""
        if self.model == AUTO:
            names = ("input_ids", "attention_mask", "token_type_ids", "pixel_values")
            return InputSpec(names, frozenset(names), "tuple")
        takes = FAMILIES[self.model].takes
        return InputSpec(takes, frozenset(takes[1:]), "tuple")

    def lower(self, sources: Mapping[str, TensorType], options: Mapping[str, Any]) -> Lowering:
        """Return the module, its call and its results."""
        source = _source(options)
        kind = self._kind(source, options)
        operands = self._by_argument(kind, sources)
        types = {name: sources[key] for name, key in operands.items()}
        reads = kind.reads(types)
        features = chosen(options["features"], kind.layers)
        layers = [feature.layer for feature in features]
        try:
            found = kind.results(self.name, types, layers)
        except OpFault as fault:
            raise _at_operands(fault, operands) from fault
        asked = {"output_hidden_states": True} if features else {}
        called = {name: Operand(key) for name, key in operands.items()}
        call = module_call(**called, **asked, **kind.extra)
        states = dict(zip(features, found.states, strict=True))
        if [feature.port for feature in features] == [""]:
            ports = {STATE: Port(found.states[0], features[0].code)}
        else:
            ports = {name: Port(type_, _read(name)) for name, type_ in found.outputs.items()}
            ports |= {one.port: Port(type_, one.code) for one, type_ in states.items()}
        module = self._module(kind, source)
        first = next(iter(ports.values())).type
        products = macs(kind.model(), {reads: types[reads]})
        return Lowering(first, module, call, ports, requires=found.requires, products=products)

    def _kind(self, source: Checkpoint | Mapping[str, Any], options: Mapping[str, Any]) -> Kind:
        """Return the kind of model that the checkpoint holds, or that the config of the spec makes."""
        if isinstance(source, Checkpoint):
            return self._of_checkpoint(source)
        given = dict(source)
        model_type = plain(given.pop("model_type", None))
        if self.model == AUTO and model_type is None:
            types = ", ".join(configs.model_types())
            raise _fault("config", "config needs the model_type", f"one of {types}, or another")
        if self.model != AUTO and model_type not in (None, configs.type_of(self.model)):
            message = f"{self.model} is of the model_type {configs.type_of(self.model)}"
            raise _fault("config", message, "remove model_type, or write transformers.AutoModel")
        model = configs.model_of(str(model_type)) if self.model == AUTO else self.model
        if model is None:
            return other_model(model_type, given)
        return TableModel(configs.checked(model, given))

    def _of_checkpoint(self, source: Checkpoint) -> Kind:
        """Return the kind of model that a checkpoint holds."""
        found = source.config()
        model_type = found.get("model_type")
        if self.model != AUTO:
            if not configs.holds(self.model, model_type):
                message = (
                    f"{source.name} is of the model_type {model_type!r:.60}, not a {self.model}"
                )
                raise _fault("pretrained", message, write("layer: transformers.AutoModel"))
            return TableModel(configs.read(self.model, found))
        model = configs.model_of(str(model_type))
        if model is not None:
            return TableModel(configs.read(model, found))
        if not isinstance(model_type, str) or "auto_map" in found:
            message = f"{source.name} needs code from its own repository"
            help = "mimgraph never runs it (trust_remote_code): take a model that transformers has"
            raise _fault("pretrained", message, help)
        return model_of_file(model_type, found)

    def _by_argument(self, kind: Kind, sources: Mapping[str, TensorType]) -> dict[str, str]:
        """Return the key of each source by the model's argument: one alone is what the model reads."""
        if not sources:
            help = f"write {as_code('from: NAME')}"
            raise OpFault("wrong-arity", f"{self.name} needs a source", help=help)
        reads = kind.reads(sources)
        if len(sources) == 1:
            return {reads: next(iter(sources))}
        for key in sources:
            if key not in kind.takes:
                takes = ", ".join(choices_of(kind.takes))
                message = f"this model takes no {key}"
                raise OpFault("wrong-arity", message, source=key, help=f"its sources: {takes}")
        if reads not in sources:
            help = f"write {as_code(f'from: {{{reads}: ...}}')}"
            raise OpFault("wrong-arity", f"{self.name} needs {reads}", at_node=True, help=help)
        return {key: key for key in kind.takes if key in sources}

    def _module(self, kind: Kind, source: Checkpoint | Mapping[str, Any]) -> Module:
        """Return the call that makes the model."""
        weights, buffers = kind.model().tensors()
        if isinstance(source, Checkpoint):
            revision = {"revision": source.revision} if source.revision else {}
            # without a dtype transformers takes that of the file, which may be float16
            settings = {**revision, "dtype": "float32", "use_safetensors": True}
            arguments: dict[str, Any] = {"name": source.name, **settings}
            name = f"{self.model}.from_pretrained"
        else:
            arguments = {"config": kind.written()}
            name = f"{AUTO}.from_config" if self.model == AUTO else self.model
        return Module(
            name,
            arguments,
            weights,
            buffers,
            package="transformers",
            positional=1,
            layers=kind.model().layers(),
        )


def _source(options: Mapping[str, Any]) -> Checkpoint | Mapping[str, Any]:
    """Return what the model is made from: a checkpoint, or the config of the spec."""
    name, config, revision = (options[key] for key in ("pretrained", "config", "revision"))
    if name is not None and config is not None:
        raise _fault("config", "pretrained has a config already", remove("one of them"))
    if name is not None:
        return checkpoint(str(plain(name)), None if revision is None else str(plain(revision)))
    if revision is not None:
        raise _fault("revision", "revision is that of a pretrained model", "give pretrained")
    if config is None:
        help = (
            f"give {put('pretrained: distilbert-base-uncased')}, or"
            f" {put('config: {model_type: bert}')} for one that has learned nothing"
        )
        raise OpFault("missing-option", "the model needs pretrained or config", help=help)
    return dict(config)


def _at_operands(fault: OpFault, operands: Mapping[str, str]) -> OpFault:
    """Return a fault with the keys of the sources in place of the model's own arguments."""
    help = fault.help
    for name, key in operands.items():
        help = help.replace(f"{{{name}}}", f"{{{key}}}")
    source = operands.get(fault.source or "", fault.source)
    mentions = tuple(operands.get(name, name) for name in fault.mentions)
    return replace(fault, source=source, mentions=mentions, help=help)


def _read(name: str) -> Code:
    """Return the code that reads an output of the model."""
    return Attribute(RESULT, name)


def _fault(option: str, message: str, help: str = "") -> OpFault:
    return OpFault("bad-option", message, option=option, help=help)


STATE = "last_hidden_state"
_DOC = """\
transformers.{model}: (N, T) of tokens, or images -> last_hidden_state, pooler_output.

`pretrained` is the name of a checkpoint on the Hugging Face hub, and `revision` its branch, tag or
commit. With `config` in its place the model has learned nothing. `features: 6` gives the hidden
state after layer 6 alone, `features: [3, 6]` gives the ports hidden_states_3 and hidden_states_6, and
`features: {{early: 3}}` names them."""


STATES = "hidden_states"
MOST = 1000


class Feature(NamedTuple):
    """A hidden state: the port that gives it, "" for the only result, and its layer, from 0 on."""

    port: str
    layer: int

    @property
    def code(self) -> Code:
        """Return the code that reads it from the result."""
        return Attribute(RESULT, STATES).at(code(self.layer))


def chosen(
    given: int | Sequence[int] | Mapping[str, int] | None, layers: int | None
) -> list[Feature]:
    """Return the hidden states that are asked for; raise the fault of one that the model has not.

    State 0 goes into the first layer, state 1 comes out of it; -1 is the last.
    """
    match given:
        case None:
            return []
        case int():
            return [Feature("", _layer(given, layers))]
        case Mapping():
            if not given:
                raise _feature_fault("features names no layer", remove("it"))
            return [Feature(_port(name), _layer(one, layers)) for name, one in given.items()]
    found = [_layer(one, layers) for one in given]
    if not found or len(set(found)) < len(found):
        raise _feature_fault("features must be different layers")
    return [Feature(f"{STATES}_{layer}", layer) for layer in found]


def _layer(given: int, layers: int | None) -> int:
    """Return the number of a layer, counted from the first."""
    number = int(plain(given))
    most = MOST if layers is None else layers
    if number < 0 and layers is None:
        help = "write the number of the layer, such as 6"
        raise _feature_fault("the hidden states of this model are counted from 0 on", help)
    found = number + most + 1 if number < 0 else number
    if not 0 <= found <= most:
        help = "0 is before the first layer, -1 after the last" if layers is not None else ""
        raise _feature_fault(f"there is no hidden state {number}: they are 0 to {most}", help)
    return found


def _port(name: str) -> str:
    """Return the name of a port; raise the fault of one that cannot be."""
    reason = port_fault(name)
    if name in ("last_hidden_state", "pooler_output"):
        reason = "the model itself has a result of this name"
    if reason is not None:
        raise _feature_fault(f"{name!r:.60} cannot name a port", reason)
    return name


def _feature_fault(message: str, help: str = "") -> OpFault:
    return OpFault("bad-option", message, option="features", help=help)
