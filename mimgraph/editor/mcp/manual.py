"""Give the pages of the manual about the language, and `llms.txt`, a list of all that can be read here."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mimgraph.diagnostics.codes import CODES, MANUAL
from mimgraph.editor.mcp.plain_markdown import first_sentence, plain
from mimgraph.gallery.catalogue import entries

LANGUAGE = """\
mimgraph turns a spec, a YAML or JSON file, into a checked PyTorch nn.Module. A spec has named inputs (their
shapes without the batch), nodes and outputs:

inputs: {image: [3, 32, 32], words: [T, 64]}
nodes:
  image_vec: {from: image, seq: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU, Flatten]}
  text: {layer: LSTM, from: words, hidden_size: 32}
  fused: {merge: concat, from: [image_vec, text.last]}
  score: {layer: Linear, from: fused, out_features: 1}
outputs: score

A node has one of layer, merge, seq or block, a `from`, and the options of torch.nn beside them. What the
shapes decide is left out: in_features, in_channels, num_features. A chain is a seq. T is a size that is known
only at run time. limits: {parameters: 20M, macs: 2G, sizes: {T: 128}} at the top refuses a model that costs more.
Nothing in a spec runs.
"""
_INSTALLED = Path(__file__).parent / "language"
_CHECKOUT = Path(__file__).parents[3] / "docs" / "language"
_PICTURE = re.compile(r"!\[[^]]*\]\([^)]*\)\n*")
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
# folders of the manual, and the resources with what their pages say
_RESOURCES = {
    "language/keys": "layers",
    "layers": "layers",
    "merges": "layers",
    "errors": "explain",
    "language": "language",
}


def pages() -> list[str]:
    """Return the names of the pages about the language, in order."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    return sorted(
        (path.stem for path in folder.glob("*.md")), key=lambda name: (name != "index", name)
    )


def page(name: str) -> str:
    """Return a page as plain Markdown; its links lead to resources of the server, or to the site."""
    if name not in pages():
        raise KeyError(f"no page is called {name[:100]!r}; there are {', '.join(pages())}")
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    text = plain((folder / f"{name}.md").read_text(encoding="utf-8"))
    return _LINK.sub(
        lambda found: f"]({_target(found[1], found[2] or '')})", _PICTURE.sub("", text)
    )


def _target(path: str, anchor: str) -> str:
    """Return the address of a page by its path from the folder of the language."""
    folder, name = posixpath.split(posixpath.normpath(f"language/{path}"))
    stem, ending = posixpath.splitext(name)
    if ending == ".md" and folder in _RESOURCES and stem != "index":
        return f"mimgraph://{_RESOURCES[folder]}/{stem}{anchor}"
    return f"{MANUAL}{posixpath.join(folder, stem)}.html{anchor}"


def llms() -> str:
    """Return `llms.txt`: the language in few words, and a line for each text that can be read here."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield f"# mimgraph\n\n{LANGUAGE}"
    yield "## The language\n"
    for name in pages():
        text = page(name)
        title = text.partition("\n")[0].removeprefix("# ")
        yield f"- [{title}](mimgraph://language/{name}): {first_sentence(text)}".rstrip(": ")
    yield "\n## Reference\n"
    yield "- [JSON Schema of specs](mimgraph://schema.json)"
    yield "- [One layer, merge or key](mimgraph://layers/Conv2d): the last word is its name."
    yield "- [One diagnostic](mimgraph://explain/shape-mismatch): the last word is its code."
    yield f"- The codes: {', '.join(CODES)}"
    yield "\n## Specs to begin with\n"
    for one in entries():
        yield f"- [{one.name}](mimgraph://gallery/{one.name}): {one.about}."
    yield ""
