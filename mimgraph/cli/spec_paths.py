"""Find the specs that an argument stands for: a file, a pattern, or a folder."""

from __future__ import annotations

import os
from collections.abc import Callable

from mimgraph.cli.errors import CallError
from mimgraph.cli.user_models import user_code
from mimgraph.diagnostics.render import visible
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
