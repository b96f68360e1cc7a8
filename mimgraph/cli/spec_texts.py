"""Read the text of a spec as it stands in its file, for commands that change it."""

from __future__ import annotations

import sys

from mimgraph.cli.errors import CallError
from mimgraph.cli.user_models import refuse_code
from mimgraph.diagnostics.render import visible
from mimgraph.language.foreign_files import refuse_foreign
from mimgraph.language.yaml_tree.limits import MAX_BYTES
from mimgraph.source import SourceFile


def read_text(path: str) -> SourceFile:
    """Return the text at a path, or of standard input for `-`, with its line ends as they are.

    A `SpecError` refuses a file of another format before it is read as a spec.
    """
    refuse_code(path)
    name = "<stdin>" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CallError(f"cannot read {visible(path)}: {error.strerror or error}") from None
    refuse_foreign(name, data)
    return SourceFile(name, data.decode(errors="surrogateescape"))
