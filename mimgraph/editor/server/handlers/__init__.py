"""Handle the requests of an editor, a module for each kind; `HANDLERS` lists them.

A module has a function `register(server)`, which names the requests it answers. It imports what reads specs
inside of the handlers: the server answers its first message sooner, and no document is open then.
"""

from __future__ import annotations

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

HANDLERS = (
    session,
    documents,
    hints,
    navigation,
    outline,
    commands,
    completion,
    formatting,
    code_actions,
    python_files,
    preview,
)
