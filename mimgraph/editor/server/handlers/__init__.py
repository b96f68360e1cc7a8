"""Handle the requests of an editor, a module for each kind; `REGISTER` lists them.

A module has a function `register(server)`, which names the requests it answers. It imports what reads specs
inside of the handlers: the server answers its first message sooner, and no document is open then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mimgraph.editor.server.handlers import (
    code_actions,
    commands,
    completion,
    documents,
    formatting,
    hints,
    navigation,
    outline,
    preview,
    python_files,
    session,
)

if TYPE_CHECKING:
    from mimgraph.editor.server.spec_server import SpecServer

REGISTER: tuple[Callable[[SpecServer], None], ...] = (
    session.register,
    documents.register,
    hints.register,
    navigation.register,
    outline.register,
    commands.register,
    completion.register,
    formatting.register,
    code_actions.register,
    python_files.register,
    preview.register,
)
