"""Define what completion proposes, and describe it when an editor shows it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from mimgraph.language.keys import EVERY_KEY
from mimgraph.language.reference_pages import describe

WIDTH = 72  # columns of the page in a small window

Kind: TypeAlias = Literal[
    "key", "layer", "merge", "option", "value", "source", "port", "param", "size", "block", "path"
]


class Proposal(NamedTuple):
    """A text to put in place of the word at the cursor; `about` names what `mimgraph layers` describes.

    `value` is what a key is given, to be typed over; `rank` sorts before the label.
    """

    label: str
    kind: Kind
    detail: str = ""
    value: str | None = None
    about: str = ""
    rank: int = 1


def documentation(about: str, label: str) -> str:
    """Return the page of an op, or what a key means, in Markdown; "" if nothing is known.

    `about` is the name of an op or key; `layer:Linear` is the op whose option the label is.
    """
    kind, colon, name = about.partition(":")
    if not colon and label in EVERY_KEY and about == label:
        key = EVERY_KEY[label]
        return f"{key.about}\n\ntype: {key.type}; default: {key.default}"
    try:
        page = describe(name if colon else kind, width=WIDTH)
    except KeyError:
        return ""
    return f"```text\n{page}\n```"
