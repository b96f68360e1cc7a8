"""Make a page for each key of the language: type, default, an example, a wrong spec, and their index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import mimgraph as mg
from extension.markdown import prose
from extension.page import Page
from mimgraph.language.keys import EVERY_KEY, Key
from mimgraph.language.reference import places, takers
from mimgraph.ops import registry

# the page of `docs/language/` about each place where a key may stand
PLACE_PAGES = {
    "a spec": "spec",
    "a param": "search-spaces",
    "a search": "search-spaces",
    "limits": "budgets",
    "an input": "inputs",
    "an input of a block": "blocks",
    "a block": "blocks",
    "a node": "nodes",
    "an item of a seq": "chains",
    "repeat": "repeats-and-scans",
    "an output": "outputs",
    "an output of a block": "blocks",
}


def pages() -> Iterator[Page]:
    """Yield the index, and the pages in the order of the keys."""
    names = sorted(EVERY_KEY)
    rows = "\n".join(_row(name, EVERY_KEY[name]) for name in names)
    yield Page.of(
        "language/keys/index.md", INDEX.format(rows=rows, toc="\n".join(map(file, names)))
    )
    for name in names:
        yield Page.of(f"language/keys/{file(name)}.md", _page(name, EVERY_KEY[name]))


def file(name: str) -> str:
    """Return the name of the page of a key, without its ending; `index` is that of the index."""
    return "index_" if name == "index" else name


def _row(name: str, key: Key) -> str:
    sentence = key.about.partition(". ")[0].rstrip(".")
    return f"| [`{name}`]({file(name)}.md) | {sentence} | {_cell(_where(name))} |"


def _where(name: str) -> str:
    """Return the places and ops that take a key, each a link."""
    links = [f"[{place}](../{PLACE_PAGES[place]}.md)" for place in places(name)]
    if not links:
        links = [f"[{one['name']}]({_op_page(one)})" for one in takers(name)]
    return ", ".join(links)


def _op_page(op: Mapping[str, str]) -> str:
    """Return the page of an op, from that of a key."""
    folder = "merges" if op["kind"] == "merge" else "layers"
    return f"../../{folder}/{op['name']}.md"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _page(name: str, key: Key) -> str:
    refused, op = key.refused, registry.find("tensor", name)
    title = (Path(__file__).parents[1] / "language" / f"{key.page}.md").read_text()
    heading = title.partition("\n")[0].removeprefix("# ")
    facts = {
        "type": key.type,
        "default": key.default,
        "stands in": _where(name),
        "explained in": f"[{heading}](../{key.page}.md)",
        "options beside it": f"[{name}](../../layers/{name}.md)" if op else "",
    }
    return PAGE.format(
        name=name,
        about=key.about if op is None else prose(op.doc),
        facts="\n".join(f"- **{fact}**: {text}" for fact, text in facts.items() if text),
        example=key.example,
        files="".join(
            f"with `{path}`:\n\n```yaml\n{text}```\n\n" for path, text in key.files.items()
        ),
        code=refused.code,
        wrong=refused.spec,
        diagnostic=_diagnostic(refused.spec),
    )


def _diagnostic(wrong: str) -> str:
    """Return what `mimgraph check` prints about a spec."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(wrong)
        try:
            mg.load(path)
        except mg.SpecError as error:
            return str(error).replace(f"{folder}/", "")
    raise AssertionError(f"legal: {wrong}")


INDEX = """\
# Keys

Every key of a spec, with the places where it may stand. The options of layers and merges are on
the pages of [layers](../../layers/index.md) and [merges](../../merges/index.md). `mimgraph layers KEY` prints the page of a key.

| key | meaning | stands in |
| --- | --- | --- |
{rows}

```{{toctree}}
:hidden:
{toc}
```
"""

PAGE = """\
# {name}

{about}

{facts}

## Example

```yaml
{example}```

{files}## What is refused

```yaml
{wrong}```

```text
{diagnostic}
```

The error is explained in [{code}](../../errors/{code}.md).
"""
