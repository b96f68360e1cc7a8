"""Read a model file of another library by the reader for its kind."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.importer.foreign.keras import read_keras
from mimgraph.importer.foreign.model import ForeignModel
from mimgraph.importer.foreign.plugin import read_by_plugin
from mimgraph.language.files import HEAD, ULTRALYTICS, is_spec, kind_of
from mimgraph.source import SourceFile


def read_foreign(path: str | PathLike[str]) -> ForeignModel:
    """Return the model in a file: `.keras`, JSON of Keras, or one that a plugin reads.

    Nothing in the file is run, unless a plugin does that. A `SpecError` says where the file is wrong.
    """
    file = Path(fspath(path))
    if (model := read_by_plugin(file)) is not None:
        return model
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    if file.suffix == ".keras" or b'"class_name"' in head:
        return read_keras(file)
    text = head.decode(errors="replace")
    help = "it takes models of Keras, and programs of torch.export (.pt2)"
    if kind_of(file.name, head) is ULTRALYTICS:
        help = ULTRALYTICS.help
    elif is_spec(str(file), text):
        help = "this is a spec already: mimgraph check or draw takes it"
    message = "this is no model that mimgraph can import"
    raise SpecError(
        [Diagnostic("wrong-type", message, SourceFile(str(file), text).start, help=help)]
    )
