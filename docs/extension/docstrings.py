"""Read docstrings as the Markdown that they are."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

# lines that are indented, after a blank line or at the start
CODE = re.compile(r"(?:\A|(?<=\n\n))((?: {4}.*\n)(?:(?: {4}.*)?\n)*)")


def text_of(thing: object) -> str:
    """Return the docstring of an object without its indentation; "" if there is none."""
    for name in ("fget", "func", "__func__"):
        thing = getattr(thing, name, thing)
    text = inspect.getdoc(thing)
    return f"{text}\n" if text else ""


def examples(text: str) -> Iterator[str]:
    """Yield the blocks of code in the text of a docstring."""
    for found in CODE.finditer(text):
        yield textwrap.dedent(found[1]).rstrip("\n") + "\n"


def markdown(text: str) -> str:
    """Return a text with its blocks of code in fences, which name the language."""

    def fenced(found: re.Match[str]) -> str:
        code = textwrap.dedent(found[1]).rstrip("\n")
        language = "pycon" if code.startswith(">>>") else "python"
        return f"```{language}\n{code}\n```\n\n"

    return CODE.sub(fenced, text).strip("\n") + "\n"
