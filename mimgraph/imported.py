"""Import existing models: `from_module`, and the graph, weights and report that it returns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mimgraph.graph import Graph
from mimgraph.language.spec_file import LoadedSpec
from mimgraph.support.arguments import as_path
from mimgraph.support.entry_point import entry_point, entry_points
from mimgraph.support.files import write_whole

if TYPE_CHECKING:
    from torch import nn

    from mimgraph.importer.inputs.examples import Examples
    from mimgraph.importer.module import Draft
    from mimgraph.importer.traces import Traces


@entry_points
class Imported:
    """A model as a graph, with its weights, the proof that both are equal, and a report.

    `keys` has for each key of our state_dict the key in the model's, and is empty if all are the same.
    """

    graph: Graph
    keys: Mapping[str, str | tuple[str, ...]]

    def __init__(self, model: nn.Module, draft: Draft, traces: Traces, examples: Examples) -> None:
        from mimgraph.importer.device import META
        from mimgraph.importer.keys import key_map
        from mimgraph.importer.proof.prove import Proof, prove
        from mimgraph.importer.report.remarks import remarks
        from mimgraph.importer.report.report import ImportReport, count_nodes
        from mimgraph.importer.traces import BATCHES

        self._model = model
        self._draft = draft
        self.graph = Graph._of(LoadedSpec(draft.graph, draft.typed))
        self.keys = key_map(draft.root, model.state_dict())
        left_out = {one.name for one in draft.lifter.left_out}
        if examples.device == META:
            proof = Proof(faults=["the weights of the module have no data"])
        else:
            ours = self.compile()
            proof = prove(model, ours, self.keys, examples, traces.sizes, BATCHES, left_out)
        self.report = ImportReport(
            remarks(draft.lifter), proof, count_nodes(draft.root, draft.blocks), self.keys
        )

    @property
    def proven(self) -> bool:
        """Whether the graph computes the same as the model, as far as that was compared."""
        return self.report.proof.holds

    def data(self) -> dict[str, Any]:
        """Return what was found as plain data: `proven`, `opaque`, `frozen`, `left_out` and `keys`."""
        return self.report.data()

    def dumps(self) -> str:
        """Return the graph as YAML; a comment says where it differs from the model's code, and why."""
        from mimgraph.language.writer import write

        draft = self._draft
        return write(draft.graph, self.report.comments(draft.root, draft.blocks))

    def dump(self, path: str | PathLike[str]) -> None:
        """Write the graph as YAML to a file, and beside it the layers that stay Python, if there are any.

        The layers of `net.yaml` are in `net_layers.py`; `mimgraph run net.yaml --import net_layers` uses both.
        A `FileExistsError` is raised if there is such a file that no import wrote.
        """
        from mimgraph.importer.python_layers.companion import check_replaceable, companion

        spec = Path(as_path("the file to write", path))
        layers = self._draft.python_layers
        file = spec.with_name(re.sub(r"\W", "_", spec.stem) + "_layers.py")
        if layers:
            check_replaceable(file)
        write_whole(spec, self.dumps())
        if layers:
            write_whole(file, companion(layers, self._model, spec.name, str(file)))

    def compile(self) -> nn.Module:
        """Return the compiled graph with the weights of the model, in evaluation mode as it is traced.

        It is on the device of the model.
        """
        from mimgraph.importer.device import META, device_of, making_on

        device = device_of(self._model)
        with making_on(device):
            made = self.graph.compile().to(device)
        if device != META:
            self.graph.load_state(made, self._model.state_dict(), keys=self.keys, strict=False)
        return made.eval()


@entry_point
def from_module(
    module: Any,
    inputs: Any = None,
    *,
    name: str | None = None,
    opaque: Iterable[str] = (),
    tidy: bool = False,
    strict: bool = False,
) -> Imported:
    """Return a module as a graph, with its weights and a proof that both compute the same.

    imported = mg.from_module(net, {"image": (3, 224, 224), "text": mg.Input("text", ("T",), vocab=1000)})
    imported.dump("net.yaml")
    print(imported.report)

    A module on the meta device, which has no data, is traced there; nothing is proven then. With `strict`
    a `ValueError` has the report if anything stays Python, is fixed or left out, or is not proven.
    """
    from mimgraph.importer.device import with_meta_weights
    from mimgraph.importer.inputs.bind import bind
    from mimgraph.importer.inputs.examples import examples
    from mimgraph.importer.inputs.model import ForwardInputs
    from mimgraph.importer.module import import_module
    from mimgraph.importer.traces import trace

    module = with_meta_weights(module)
    given = inputs if isinstance(inputs, ForwardInputs) else bind(module, inputs)
    made = examples(module, given)
    traces = trace(module, made, {path: "it was asked for" for path in opaque})
    draft = import_module(traces, made, name or type(module).__name__, tidy)
    imported = Imported(module, draft, traces, made)
    if strict and not imported.report.is_exact:
        raise ValueError(f"the graph is not the module as it is\n\n{imported.report}")
    return imported
