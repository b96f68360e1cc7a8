"""Find the blocks that stand for Ultralytics' modules, with the blocks that they use themselves."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

Block = dict[str, Any]
PLAIN = "Plain"  # the end of the name of a block without shortcuts
HALF = "$(out_channels // 2)"


def with_inner(names: list[str]) -> dict[str, Block]:
    """Return the blocks of these names and all blocks inside them, the inner ones first."""
    found: dict[str, Block] = {}

    def add(name: str) -> None:
        if name not in found:
            block = _block(name)
            for inner in inner_blocks(block):
                add(inner)
            found[name] = block

    for name in names:
        add(name)
    return deepcopy(found)


def default(name: str, param: str, given: dict[str, Any]) -> Any:
    """Return the default of a block's param, None if it has none; `given` are the params of the use."""
    value = _block(name).get("params", {}).get(param)
    return given["out_channels"] // 2 if value == HALF else value


def takes(name: str, param: str) -> bool:
    """Return whether a block has a param."""
    return param in _block(name).get("params", {})


def plain(name: str, shortcut: bool) -> str:
    """Return the name of a block, or of the one like it without shortcuts."""
    return name if shortcut else name + PLAIN


@cache
def _library() -> dict[str, Block]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = Path(__file__).with_name("blocks.yaml").read_text(encoding="utf-8")
    found: dict[str, Block] = yaml.load(text, Loader=loader)
    return found


@cache
def _block(name: str) -> Block:
    """Return a block of the library as the spec holds it."""
    library = _library()
    if name not in library and name.endswith(PLAIN):
        swap = {inner: inner + PLAIN for inner in library if inner + PLAIN in library}
        return _changed(_block(name.removesuffix(PLAIN)), {"swap": swap})
    written = library[name]
    if "like" not in written:
        return written
    return _changed(_block(written["like"]), written)


def _changed(base: Block, change: Block) -> Block:
    """Return a block with other params, nodes, inner blocks or outputs; a null removes a node."""
    swap = change.get("swap", {})
    block: Block = {}
    for key, value in base.items():
        if key == "nodes":
            nodes = value | change.get("nodes", {})
            value = {name: node for name, node in nodes.items() if node is not None}
            value = {name: _swapped(node, swap) for name, node in value.items()}
        elif key == "seq":
            value = [_swapped(item, swap) for item in value]
        elif key in change:
            value = change[key]
        block[key] = value
    return block


def _swapped(node: Any, swap: dict[str, str]) -> Any:
    """Return a node or an item of a chain with other blocks."""
    if isinstance(node, str):
        return swap.get(node, node)
    return {
        swap.get(key, key): swap.get(value, value) if key == "block" else value
        for key, value in node.items()
    }


def inner_blocks(block: Block) -> list[str]:
    """Return the names of the blocks of the library that a block uses itself."""
    library = _library()
    nodes = list(block.get("nodes", {}).values())
    chains = [block.get("seq", []), *(node["seq"] for node in nodes if "seq" in node)]
    items = [item if isinstance(item, str) else next(iter(item)) for seq in chains for item in seq]
    used = [*(node["block"] for node in nodes if "block" in node), *items]
    return [name for name in used if name in library or name.removesuffix(PLAIN) in library]
