"""Define the arguments that several tools have, with the descriptions that a language model reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

Path = Annotated[
    str, Field(description="A spec in the folder of the server, by its path from there: net.yaml")
]
Text = Annotated[str, Field(description="The text of a spec, in place of a path")]
Params = Annotated[
    dict[str, Any] | None,
    Field(description='Values in place of those of the params of the spec: {"hidden": 128}'),
]
Depth = Annotated[
    int | Literal["all"] | None,
    Field(description="How many levels of blocks are open: a number or all"),
]
