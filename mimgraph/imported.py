"""Import existing models: `from_module`, and the graph, weights and report that it returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.graph import Graph, from_dict
from mimgraph.importer.device import META, device_of, making_on, with_meta_weights
from mimgraph.importer.exported import is_exported, read_exported
from mimgraph.importer.foreign.model import ForeignModel, load_state
from mimgraph.importer.foreign.read import read_foreign
from mimgraph.importer.foreign.report import foreign_report, note_comments
from mimgraph.importer.inputs.bind import bind
from mimgraph.importer.inputs.examples import Examples, runs
from mimgraph.importer.inputs.lengths import FixedShape, fixed_shapes
from mimgraph.importer.inputs.model import ForwardInputs
from mimgraph.importer.keys import key_map
from mimgraph.importer.lift.errors import CannotLift, ImportFailed
from mimgraph.importer.module import Draft, import_module
from mimgraph.importer.precision import in_float32, inputs_in_float32, own_dtype
from mimgraph.importer.proof.prove import Proof, prove_evaluation
from mimgraph.importer.python_layers.companion import check_replaceable
from mimgraph.importer.python_layers.register import register_text
from mimgraph.importer.report.remarks import remarks
from mimgraph.importer.report.report import ImportReport, count_nodes
from mimgraph.importer.trace.leaves import is_leaf
from mimgraph.importer.traces import BATCHES, Traces, trace, trace_evaluation
from mimgraph.importer.wrappers import (
    Around,
    check_module,
    keeping_random,
    not_compiling,
    without_wrappers,
)
from mimgraph.language.spec_file import LoadedSpec
from mimgraph.language.writer import write
from mimgraph.source import SourceFile
from mimgraph.support.arguments import as_flag, as_names, as_path, as_text
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.files import write_whole

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

    from mimgraph.runtime.weight_transfer.by_keys import Keys


class Parts(NamedTuple):
    """What an import of any kind of model found.

    `make` compiles the graph with the weights. `companion` returns the text of the Python file at a path
    that a spec of this name needs.
    """

    graph: Graph
    keys: Keys
    report: ImportReport
    comments: Mapping[str, str]
    make: Callable[[], nn.Module]
    companion: Callable[[str, str], str] | None
    is_comparable: bool = True


@entry_points
class Imported:
    """A model as a graph, with its weights, the proof that both are equal, and a report.

    `keys` has for each key of our state_dict the key in the model's, and is empty if all are the same.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.graph: Graph = parts.graph
        self.keys: Keys = parts.keys
        self.report: ImportReport = parts.report

    @property
    def proven(self) -> bool:
        """Whether the written graph computes the same as the model, as far as that was compared."""
        return self.report.proven

    @property
    def comparable(self) -> bool:
        """Whether there was a module to compare with; a file of another library has none."""
        return self._parts.is_comparable

    def data(self) -> dict[str, Any]:
        """Return what was found as plain data: `proven`, `opaque`, `frozen`, `left_out`, `keys` and
        `fixed_sizes`."""
        return self.report.data()

    def dumps(self) -> str:
        """Return the graph as YAML; a comment says where it differs from the model's code, and why."""
        return write(self.graph.declared, self._parts.comments)

    def dump(self, path: str | PathLike[str]) -> Path | None:
        """Write the graph as YAML to a file, and beside it the layers that stay Python, if there are any.

        The layers of `net.yaml` are in `net_layers.py`, whose path is returned; `mimgraph run net.yaml --import
        net_layers` uses both. A `FileExistsError` is raised if there is such a file that no import wrote.
        """
        spec = Path(as_path("the file to write", path))
        texts = texts_of(self, spec)
        file = next((one for one in texts if one != spec), None)
        if file is not None:
            check_replaceable(file)
        for one, text in texts.items():
            write_whole(one, text)
        return file

    def compile(self) -> nn.Module:
        """Return the compiled graph with the weights of the model, in evaluation mode as it is traced.

        It is on the device of the model.
        """
        return self._parts.make()


def texts_of(imported: Imported, spec: Path) -> dict[Path, str]:
    """Return the text of a spec that is written to a path, and of the layers beside it, if there are any."""
    texts = {spec: imported.dumps()}
    companion = imported._parts.companion
    if companion is not None:
        file = spec.with_name(re.sub(r"\W", "_", spec.stem) + "_layers.py")
        texts[file] = companion(spec.name, str(file))
    return texts


@entry_point
def from_module(
    module: nn.Module | ExportedProgram | str | PathLike[str],
    inputs: Any = None,
    *,
    name: str | None = None,
    opaque: str | Iterable[str] = (),
    tidy: bool = False,
    strict: bool = False,
) -> Imported:
    """Return a module as a graph, with its weights and a proof that both compute the same.

        imported = mg.from_module(net, {"image": (3, 224, 224), "text": mg.Input("text", ("T",), vocab=1000)})
        imported.dump("net.yaml")
        print(imported.report)

    `inputs` are by the names of forward, or a list in its order: shapes without the batch, handles of
    `mg.Input`, or tensors, an example batch. Modules at the paths `opaque` stay layers of Python code,
    as do those that cannot be declared. The keys of the state_dict stay; `tidy` makes a shorter spec
    with keys of its own. With `strict`, a `ValueError` reports whatever is not proven or not declared.

    An exported program, `torch.export.load("net.pt2")`, knows its inputs. So do the files of models of
    Keras (`.keras` or JSON), which are given by their paths and of which nothing is run. But the code of
    a module is run. A module on the meta device, which has no data, is traced there; nothing is proven
    then.
    """
    name = None if name is None else as_text("name", name)
    paths = as_names("opaque", opaque)
    tidy, strict = as_flag("tidy", tidy), as_flag("strict", strict)
    imported = Imported(_parts_or_reason(module, inputs, name, paths, tidy))
    if strict and not imported.report.is_exact:
        raise ValueError(f"the graph is not the module as it is\n\n{imported.report}")
    return imported


def _parts_or_reason(given: Any, *options: Any) -> Parts:
    """Return the parts of an import; an `ImportFailed` says why a model cannot be declared at all."""
    what = fspath(given) if isinstance(given, str | PathLike) else type(given).__name__
    try:
        with not_compiling(), keeping_random():
            return _parts(given, *options)
    except CannotLift as error:
        raise ImportFailed(what, error) from None


def _parts(given: Any, inputs: Any, name: str | None, opaque: list[str], tidy: bool) -> Parts:
    """Return the parts of an import by the kind of the model."""
    if isinstance(given, str | PathLike):
        path = fspath(given)
        if path.endswith(".py"):
            raise ValueError(f"{path} is Python code: import it, and give a module of its class")
        if path.endswith(".pt2"):
            help = f"if you trust it, give the program: torch.export.load({path!r})"
            raise ValueError(f"{path} is code, as a Python file is; {help}")
        return _from_file(path)
    if is_exported(given):
        return _from_exported(given, name, opaque, tidy)
    check_module(given)
    return _from_torch(given, inputs, name, opaque, tidy)


def _from_torch(
    module: nn.Module, inputs: Any, name: str | None, opaque: list[str], tidy: bool
) -> Parts:
    from mimgraph.importer.inputs.examples import examples
    from mimgraph.importer.proof.prove import Proof, prove

    module = with_meta_weights(without_wrappers(module))
    name = name or type(module).__name__
    given = inputs if isinstance(inputs, ForwardInputs) else bind(module, inputs)
    module = original = Around(module) if is_leaf(module) else module
    dtype = own_dtype(module)
    if dtype is not None:
        module, given = in_float32(module), inputs_in_float32(given, dtype)
    made = examples(module, given)
    traces = trace(module, made, dict.fromkeys(opaque, "it was asked for"))
    draft = import_module(traces, made, name, tidy)
    fixed = _fixed_shapes(made, traces, draft)

    def proof(ours: Callable[[], nn.Module], keys: Keys) -> Proof:
        if made.device == META:
            return Proof(faults=["the weights of the module have no data"])
        left_out = {one.name for one in draft.lifter.left_out if one.what == "output"}
        evaluated = {draft.root.outputs[index].name for index in traces.only_evaluation}
        sizes, constants = traces.sizes, draft.constants
        return prove(module, ours(), keys, made, sizes, BATCHES, left_out, constants, evaluated)

    parts = _of_draft(draft, module, proof, original, fixed)
    if not isinstance(module, Around):
        return parts
    keys = module.keys(parts.keys)
    return parts._replace(keys=keys, report=replace(parts.report, keys=keys))


def _from_exported(
    program: ExportedProgram, name: str | None, opaque: list[str], tidy: bool
) -> Parts:
    model, given, reference = read_exported(program)
    made = Examples(given)
    traces = trace_evaluation(model, made, dict.fromkeys(opaque, "it was asked for"))
    draft = import_module(traces, made, name or "Exported", tidy)

    def proof(ours: Callable[[], nn.Module], keys: Keys) -> Proof:
        left_out = {one.name for one in draft.lifter.left_out if one.what == "output"}
        return prove_evaluation(reference, ours(), made, traces.sizes, BATCHES, left_out)

    return _of_draft(draft, model, proof, model)


def _fixed_shapes(examples: Examples, traces: Traces, draft: Draft) -> list[FixedShape]:
    """Return the shapes of the graph's inputs that are numbers where the module takes others."""
    sizes = {name: numbers[0] for name, numbers in traces.sizes.items()}
    read = {one.name for one in draft.root.inputs}

    def tried(given: ForwardInputs, sizes: Mapping[str, int]) -> bool:
        return runs(traces.model, examples._replace(given=given), sizes)

    return [one for one in fixed_shapes(examples.given, tried, sizes) if one.input in read]


def _of_draft(
    draft: Draft,
    model: nn.Module,
    prove: Callable[[Callable[[], nn.Module], Keys], Proof],
    original: nn.Module,
    fixed: Sequence[FixedShape] = (),
) -> Parts:
    """Return the parts of the import of a module that was traced, perhaps as a copy of the original."""
    from mimgraph.importer.python_layers.companion import companion

    graph = Graph._of(LoadedSpec, draft.graph, draft.typed)
    keys = key_map(draft.root, model.state_dict())
    layers = draft.python_layers
    constants = draft.constants
    tensors = {key: one.tensor for key, one in constants.items()}

    def make() -> nn.Module:
        return _with_weights(graph, original, keys, tensors)

    def make_traced() -> nn.Module:
        return _with_weights(graph, model, keys, tensors)

    def text(spec: str, path: str) -> str:
        return companion(layers, model, spec, path)

    nodes = count_nodes(draft.root, draft.blocks)
    found = remarks(draft.lifter, constants)
    report = ImportReport(found, prove(make_traced, keys), nodes, keys, fixed)
    comments = report.comments(draft.root, draft.blocks)
    return Parts(graph, keys, report, comments, make, text if layers else None)


def _with_weights(
    graph: Graph, model: nn.Module, keys: Keys, constants: Mapping[str, Tensor]
) -> nn.Module:
    """Return the compiled graph with the weights of a module, and constants by our keys, on its device
    and in its dtype."""
    device = device_of(model)
    with making_on(device):
        made = graph.compile().to(device=device, dtype=own_dtype(model))
    if device != META:
        graph.load_state(made, {**model.state_dict(), **constants}, keys=keys, strict=False)
    return made.eval()


def _from_file(path: str) -> Parts:
    """Return the parts of the model in a file of another library."""
    return _of_foreign(read_foreign(path), path)


def _of_foreign(found: ForeignModel, path: str) -> Parts:
    text, state = found.companion, found.state
    if text is not None:
        register_text(text, path)
    try:
        graph = from_dict(found.spec, name=path)
    except SpecError as error:
        if found.plugin:
            error.add_note(f"the spec is from an importer of {found.plugin}")
        raise
    except TypeError as error:
        if not found.plugin:
            raise
        message = f"an importer of {found.plugin} returned a spec that is no plain data"
        place = SourceFile(path, "").start
        raise SpecError([Diagnostic("broken-plugin", message, place, str(error))]) from error

    def make() -> nn.Module:
        made = graph.compile()
        if state is not None:
            load_state(made, state)
        return made.eval()

    ours = _state_keys(graph) if found.keys else []
    keys = {key: found.keys[key] for key in ours if found.keys.get(key, key) != key}
    report = foreign_report(found, path, len(graph.nodes), keys)
    companion = None if text is None else lambda spec, file: text
    comments = note_comments(found, path)
    return Parts(graph, keys, report, comments, make, companion, is_comparable=False)


def _state_keys(graph: Graph) -> list[str]:
    """Return the keys of the state_dict of a graph; no memory is taken for the weights."""
    with making_on(META):
        return [*graph.compile().state_dict()]
