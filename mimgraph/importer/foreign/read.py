"""Read a model file of another library by the reader for its kind."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.importer.foreign.located import read_file
from mimgraph.importer.foreign.model import ForeignModel
from mimgraph.importer.foreign.plugin import read_by_plugin
from mimgraph.source import SourceFile

HEAD = 4096  # bytes, in which the JSON of a Keras model names its class


def read_foreign(path: str | PathLike[str]) -> ForeignModel:
    """Return the model in a file: `.keras`, or JSON or YAML of Keras, MLnode or Ultralytics, or one that
    a plugin reads.

    Nothing in the file is run, unless a plugin does that. A `SpecError` says where the file is wrong.
    """
    from mimgraph.importer.foreign.keras import read_keras
    from mimgraph.importer.foreign.mlnode.read import is_mlnode, read_mlnode
    from mimgraph.importer.foreign.ultralytics.read import is_ultralytics, read_ultralytics

    file = Path(fspath(path))
    if (model := read_by_plugin(file)) is not None:
        return model
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    if file.suffix == ".keras" or b'"class_name"' in head:
        return read_keras(file)
    data = read_file(file).plain()
    if is_mlnode(data):
        return read_mlnode(file)
    if is_ultralytics(data):
        return read_ultralytics(file)
    help = "it takes models of Keras, Ultralytics and MLnode, and programs of torch.export (.pt2)"
    if isinstance(data, dict) and {"inputs", "nodes"} <= data.keys():
        help = "this is a spec already: mimgraph check or draw takes it"
    place = SourceFile(str(file), head.decode(errors="replace")).start
    message = "this is no model that mimgraph can import"
    raise SpecError([Diagnostic("wrong-type", message, place, help=help)])
