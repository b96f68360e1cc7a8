"""Find the specs that an argument stands for: a file, a pattern, or a folder; read the text of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from mimgraph.cli.errors import CallError
from mimgraph.cli.user_models import refuse_code, user_code
from mimgraph.declare.tree import MAX_BYTES
from mimgraph.diagnostics.render import visible
from mimgraph.language.files import refuse_foreign
from mimgraph.source import SourceFile
from mimgraph.support.files import matching
from mimgraph.support.progress import progress


def spec_paths(given: str, in_folder: Callable[[str], list[str]]) -> dict[str, bool]:
    """Return the specs that an argument stands for, and whether it names them, and not only a folder.

    `in_folder` returns those in a folder.
    """
    if user_code(given) is not None:
        return {given: True}
    if os.path.isdir(given):
        with progress("looking for specs"):
            paths = in_folder(given)
        fault = f"there is no spec in {visible(given)}"
    else:
        paths, fault = matching(given), f"no file matches {visible(given)}"
    if not paths:
        raise CallError(fault)
    return dict.fromkeys(paths, not os.path.isdir(given))


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
