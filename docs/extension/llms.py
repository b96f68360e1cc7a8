"""Write the manual for language models: each page as Markdown, `llms.txt` and `llms-full.txt`.

https://llmstxt.org describes the first file, a list of the pages with a line each. The second has the text
of all pages for people who use mimgraph.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mimgraph.editor.mcp.plain_markdown import first_sentence, plain

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

SUMMARY = (
    "A Python library for PyTorch models with several inputs. A model is declared in YAML, or in Python as with "
    "Keras; every shape is inferred and checked before there is a tensor; the result is a readable "
    "`nn.Module` that needs only torch, pictures, summaries and reviews of changes."
)
FOR_DEVELOPERS = {"architecture", "contributing", "import-coverage", "release"}


def setup(app: Sphinx) -> None:
    """Write the files at the end of a build of HTML."""
    app.connect("build-finished", _write)


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    out, base = Path(app.outdir), app.config.html_baseurl
    texts = {
        name: _with_pictures(plain(Path(app.env.doc2path(name)).read_text()), name, app.env)
        for name in app.env.found_docs
    }
    for name, text in texts.items():
        (out / f"{name}.md").write_text(text)
    listing = ["# mimgraph", f"> {SUMMARY}"]
    full = [*listing]
    for section, names in _sections(app.env):
        rows = [
            f"- [{_title(app.env, name)}]({base}{name}.md){_line(texts[name])}" for name in names
        ]
        listing.append(f"## {section}\n\n" + "\n".join(rows))
        full += (f"<!-- {base}{n}.html -->\n\n{texts[n]}" for n in names if n not in FOR_DEVELOPERS)
    (out / "llms.txt").write_text("\n\n".join(listing) + "\n")
    (out / "llms-full.txt").write_text("\n\n".join(full) + "\n")


def _with_pictures(text: str, name: str, env: BuildEnvironment) -> str:
    """Return a page with the places where the build puts its pictures."""

    def placed(found: re.Match[str]) -> str:
        path = os.path.normpath(os.path.join(os.path.dirname(name), found[2]))
        if path not in env.images:
            return found[0]
        return f"{found[1]}{'../' * name.count('/')}_images/{env.images[path][1]})"

    return re.sub(r"(!\[[^]]*\]\()([^)\s]+)\)", placed, text)


def _sections(env: BuildEnvironment) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and pages of each part of the manual; a part with parts of its own is several."""
    for name in env.toctree_includes[env.config.root_doc]:
        parts = [one for one in env.toctree_includes.get(name, []) if one.endswith("/index")]
        below = [
            one for one in _below(env, name) if not one.startswith(tuple(p[:-5] for p in parts))
        ]
        yield _title(env, name), [name, *below]
        for part in parts:
            yield _title(env, part), [part, *_below(env, part)]


def _below(env: BuildEnvironment, name: str) -> Iterator[str]:
    for one in env.toctree_includes.get(name, []):
        yield one
        yield from _below(env, one)


def _title(env: BuildEnvironment, name: str) -> str:
    return env.titles[name].astext()


def _line(text: str) -> str:
    """Return the first sentence of a page, after a colon; "" if there is none."""
    sentence = first_sentence(text)
    return sentence and f": {sentence}"
