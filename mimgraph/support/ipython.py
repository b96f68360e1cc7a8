"""The protocol by which IPython shows an object as HTML."""

from __future__ import annotations

from collections.abc import Container


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
