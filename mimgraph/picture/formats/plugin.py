"""Draw a graph in the format of a plugin: a function of the graph, and of options of `Graph.draw` by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from mimgraph.picture.scene import Scene
from mimgraph.support.plugins import Plugin, cannot, load

DEFAULTS = {"direction": "TB", "depth": None, "collapse": False, "theme": None, "wrap": False}


def draw_by(plugin: Plugin, scene: Scene) -> str | bytes:
    """Return the text or bytes that the function of a plugin makes of the graph.

    A `ValueError` says which option it does not take, a `BrokenPlugin` why it fails.
    """
    if scene.graph is None:
        raise ValueError(f"{plugin.text} draws a graph, and not a change or a wrong spec")
    function = load(plugin)
    if not callable(function):
        raise cannot(plugin, f"is {type(function).__name__}, not a function of a graph")
    options = _options(plugin, function, scene)
    try:
        content = function(scene.graph, **options)
    except Exception as error:
        raise cannot(plugin, f"cannot draw {scene.whole.name}", error) from error
    if not isinstance(content, str | bytes):
        raise cannot(plugin, f"returns {type(content).__name__}, not text or bytes")
    return content


def _options(plugin: Plugin, function: Callable[..., object], scene: Scene) -> dict[str, object]:
    """Return the options that a function takes; refuse one that is given and that it does not take."""
    parameters = inspect.signature(function).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    given = {name: getattr(scene, name) for name in DEFAULTS}
    for name, value in given.items():
        if value != DEFAULTS[name] and not takes_all and name not in parameters:
            raise ValueError(f"{plugin.text} takes no {name}: remove it")
    return {name: value for name, value in given.items() if takes_all or name in parameters}
