"""Write pictures to files; the ending of a name chooses the format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mimgraph.picture.errors import RenderError
from mimgraph.picture.formats import LAID_OUT, PRINTED, RENDERERS
from mimgraph.support.files import write_whole
from mimgraph.support.plugins import BrokenPlugin, plugin, plugins
from mimgraph.support.progress import progress

if TYPE_CHECKING:
    from mimgraph.picture.scene import Scene

__all__ = ["RenderError", "rendered", "write"]


def write(scene: Scene, path: str | Path) -> Scene:
    """Write a picture to a file, completely or not at all, and return the scene with the depth that
    was drawn.

    Without a depth, a picture that is longer than a page with all blocks closed is set in columns.
    """
    ending = Path(path).suffix.lower()
    if ending not in RENDERERS:
        write_whole(path, _by_plugin(scene, path, ending, RENDERERS))
        return scene
    drawn, content = rendered(scene, ending)
    write_whole(path, content)
    return drawn


def rendered(scene: Scene, ending: str) -> tuple[Scene, str | bytes]:
    """Return the scene with the depth that is drawn, and the picture in one of our formats."""
    from mimgraph.picture.readable_depth import in_columns, readable

    if scene.wrap and ending not in LAID_OUT:
        raise ValueError(f"only {', '.join(LAID_OUT)} are wrapped, not {ending}: remove wrap")
    with progress("drawing"):
        drawn = readable(scene)
        if scene.depth is None and ending in PRINTED:
            drawn = in_columns(drawn)
        return drawn, RENDERERS[ending](drawn)


def _by_plugin(scene: Scene, path: str | Path, ending: str, ours: Iterable[str]) -> str | bytes:
    """Return a picture in the format of a plugin; raise a `ValueError` if no plugin has one."""
    from mimgraph.picture.formats.plugin import draw_by

    try:
        found = plugin("pictures", ending.removeprefix("."))
        if found is not None:
            with progress("drawing"):
                return draw_by(found, scene)
    except BrokenPlugin as broken:
        raise RenderError(f"{broken}: {broken.help}") from broken.__cause__
    endings = ", ".join([*ours, *(f".{one.name}" for one in plugins("pictures"))])
    raise ValueError(f"cannot draw {str(path)!r}: its name must end in {endings}")
