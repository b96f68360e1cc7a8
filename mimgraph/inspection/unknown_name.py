"""The error for a name that is not in a mapping of a graph."""

from __future__ import annotations

from collections.abc import Iterable

from mimgraph.diagnostics.nearest import suggestion


class UnknownName(KeyError):
    """Raised for a name that no node, input or output has; its text is not quoted as a key is."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(what: str, name: object, known: Iterable[str]) -> UnknownName:
    """Return the error for a name that nothing of a kind, a node or an input, has."""
    help_ = suggestion(name, known) if isinstance(name, str) else ""
    return UnknownName(f"no {what} is called {name!r}" + (f": {help_}" if help_ else ""))
