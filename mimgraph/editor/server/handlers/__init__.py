"""Handle the requests of an editor, a module for each kind; `REGISTER` lists them.

A module has a function `register(server)`, which names the requests it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mimgraph.editor.server.handlers import (
    diagnostics,
    hints,
    hover,
    navigation,
    python_files,
    rename,
    session,
)

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

REGISTER: tuple[Callable[[SpecServer], None], ...] = (
    session.register,
    diagnostics.register,
    hints.register,
    hover.register,
    navigation.register,
    rename.register,
    python_files.register,
)
