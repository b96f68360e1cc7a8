"""The protocols of IPython: it shows an object as HTML, and names the cells of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import Any


def cell_name(path: str) -> str:
    """Return the name of a cell, `In[6]`, by the path that IPython compiled it under; "" for a file."""
    shell = _shell()
    if shell is None or not hasattr(shell.compile, "format_code_name"):
        return ""
    label_and_name: tuple[str, str] | None = shell.compile.format_code_name(path)
    return label_and_name[1] if label_and_name else ""


def runs_in_notebook() -> bool:
    """Return whether a notebook runs this; IPython in a terminal shows no pictures."""
    return hasattr(_shell(), "kernel")


def publish(html: str) -> bool:
    """Show HTML below the cell that a notebook runs; return False if no notebook runs this."""
    if not runs_in_notebook():
        return False
    _shell().display_pub.publish({"text/html": html, "text/plain": ""})
    return True


def traceback_lines(error: Exception) -> list[str]:
    """Return the lines that IPython prints for an error by default."""
    table = _shell().InteractiveTB
    lines: list[str] = table.structured_traceback(type(error), error, error.__traceback__)
    return lines


def _shell() -> Any:
    """Return the running IPython; None outside of it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class Shown:
    """An object that a notebook shows as HTML; a class defines `_repr_html_`."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """Return the repr and the HTML by media type, but only the types that are asked for."""
        makers = {"text/plain": self.__repr__, "text/html": self._repr_html_}
        return {
            type_: make()
            for type_, make in makers.items()
            if (not include or type_ in include) and not (exclude and type_ in exclude)
        }
