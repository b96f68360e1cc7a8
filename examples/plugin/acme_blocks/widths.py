"""An importer: a function of the path of a file that returns the spec as plain data, or a graph."""

from pathlib import Path


def read_mlp(path: Path) -> dict[str, object]:
    """Return a spec of the widths in a `.mlp` file, `13 64 32 1`: Linear layers with ReLU between them."""
    first, *widths = map(int, path.read_text().split())
    chain: list[object] = [{"Linear": {"out_features": width}} for width in widths]
    for place in range(len(widths) - 1, 0, -1):
        chain.insert(place, "ReLU")
    return {
        "name": "MLP",
        "inputs": {"x": [first]},
        "nodes": {"y": {"from": "x", "seq": chain}},
        "outputs": "y",
    }
