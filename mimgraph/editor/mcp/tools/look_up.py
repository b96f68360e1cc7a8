"""Look up diagnostics, layers, the gallery, and the specs of the folder."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field

from mimgraph.diagnostics.codes import CODES
from mimgraph.diagnostics.explain import page
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.diagnostics.text import unmarked
from mimgraph.editor.mcp import manual as pages_of_manual
from mimgraph.editor.mcp.answers import Answer, Example, Found, Listed, Page, cut
from mimgraph.editor.mcp.folder import Folder, WrongCall
from mimgraph.gallery.catalogue import entries, find
from mimgraph.language.reference_pages import describe, listing

Code = Annotated[str, Field(description="The code of a diagnostic: shape-mismatch")]
Name = Annotated[str, Field(description="A layer, merge, key or option: Conv2d, concat, repeat")]
Search = Annotated[str, Field(description="Words in a name, category or description: attention")]
Entry = Annotated[str, Field(description="A spec of the gallery: bert_base")]


ManualPage = Annotated[str, Field(description="A page: nodes, blocks, sizes, expressions")]


def explain(folder: Folder, code: Code = "") -> Annotated[Answer, Page]:
    """Explain a code of a diagnostic by a wrong spec and the right one; without a code, list all codes."""
    if not code:
        rows = "\n".join(f"{name}: {meaning}" for name, meaning in CODES.items())
        return Answer(rows, Page("", "", dict(CODES.items())))
    if code not in CODES:
        raise WrongCall(
            f"no code is called {code[:100]!r}. {unmarked(suggestion(code, CODES))}".rstrip(". ")
        )
    text = page(code)
    return Answer(text, Page(code, text))


def layers(folder: Folder, name: Name = "", search: Search = "") -> Annotated[Answer, Found]:
    """Describe a layer, merge or key with its options, types, defaults and an example; or search them.

    Names of torch.nn and Keras are found as well. Without arguments it lists all, which is long: search.
    """
    if name and search:
        raise WrongCall("give name or search, not both")
    try:
        if name:
            found = json.loads(describe(name, "json"))
            return Answer(cut(describe(name)), Found([found]))
        wanted = search or None
        rows = json.loads(listing("json", wanted))
        short = [{key: one[key] for key in ("name", "kind", "summary")} for one in rows]
        return Answer(cut(listing("text", wanted)), Found(short))
    except KeyError as error:
        raise WrongCall(". ".join(filter(None, error.args))) from None


def gallery(folder: Folder, name: Entry = "") -> Annotated[Answer, Example]:
    """Return a published architecture as a correct spec to begin with; without a name, list all."""
    if not name:
        rows = [one._asdict() for one in entries()]
        return Answer(
            "\n".join(f"{one.name}: {one.about}" for one in entries()), Example("", "", rows)
        )
    try:
        text = find(name).read_text(encoding="utf-8")
    except KeyError as error:
        raise WrongCall(". ".join(filter(None, error.args))) from None
    return Answer(text, Example(name, text))


def manual(folder: Folder, page: ManualPage = "") -> Annotated[Answer, Page]:
    """Return a page of the manual about the language; without a page, a list of all that can be read."""
    if not page:
        return Answer(
            pages_of_manual.llms(), Page("", "", dict.fromkeys(pages_of_manual.pages(), ""))
        )
    try:
        text = pages_of_manual.page(page)
    except KeyError as error:
        raise WrongCall(str(error.args[0])) from None
    return Answer(text, Page(page, text))


def specs(folder: Folder) -> Annotated[Answer, Listed]:
    """List the specs in the folder of the server, which the other tools take as `path`."""
    paths, complete = folder.specs()
    text = "\n".join(paths) or "there is no spec in the folder"
    return Answer(text if complete else f"{text}\n... and perhaps more", Listed(paths, complete))
