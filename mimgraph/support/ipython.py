"""The protocols of IPython: it shows an object as HTML, and names the cells of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Container


def cell_name(path: str) -> str:
    """Return the name of a cell, `In[6]`, by the path that IPython compiled it under; "" for a file."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell.compile, "format_code_name"):
        return ""
    label_and_name: tuple[str, str] | None = shell.compile.format_code_name(path)
    return label_and_name[1] if label_and_name else ""


def publish(html: str) -> bool:
    """Show HTML below the cell that a notebook runs; return False if no notebook runs this."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):  # a terminal cannot show it
        return False
    shell.display_pub.publish({"text/html": html, "text/plain": ""})
    return True


def traceback_lines(error: Exception, picture: str) -> list[str]:
    """Return the lines that IPython prints for an error; a notebook shows the picture above them."""
    shell = sys.modules["IPython"].get_ipython()  # only IPython calls this
    if picture:
        publish(picture)
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        type(error), error, error.__traceback__
    )
    return lines


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
