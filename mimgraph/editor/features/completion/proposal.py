"""Define what completion proposes."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

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
