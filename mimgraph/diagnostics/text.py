"""Mark the code in a message, note, label or help: it is shown as YAML or Python, and applied as an edit.

A marked text is a string with code between two control characters, the first followed by a letter for its
role, so that f-strings, `join` and `replace` compose texts as they compose strings. `Diagnostic` makes a
`Text` of each, which has no marks, but parts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal, NamedTuple, Self, TypeAlias, get_args

Role: TypeAlias = Literal["code", "put", "name", "insert", "drop", "words"]

_START, _BETWEEN, _END = "\x02", "\x1f", "\x03"
_ROLES: dict[str, Role] = {role[0]: role for role in get_args(Role)}
MOST_PROPOSED = 4  # of the names that a text lists, each is a fix to try
_ENTRY = re.compile(r"\w+: ")
_PART = re.compile(rf"{_START}([{''.join(_ROLES)}])([^{_END}]*){_END}")


class Part(NamedTuple):
    """Code in a text, as YAML writes it, and what it is there for; `python` is set for other words alone."""

    role: Role
    yaml: str
    python: str = ""

    @property
    def flow(self) -> str:
        """The code as one value: entries get braces."""
        return f"{{{self.yaml}}}" if _ENTRY.match(self.yaml) else self.yaml


class Text(str):
    """A text as it reads in a spec, with its parts: strings, and code between them."""

    parts: tuple[str | Part, ...]

    def __new__(cls, marked: str) -> Self:
        parts = (*_parts(marked),)
        self = super().__new__(cls, "".join(p if isinstance(p, str) else p.yaml for p in parts))
        self.parts = parts
        return self


def _parts(marked: str) -> Iterator[str | Part]:
    """Yield the parts of a marked text."""
    at = 0
    for match in _PART.finditer(marked):
        if match.start() > at:
            yield marked[at : match.start()]
        yaml, _, python = match[2].partition(_BETWEEN)
        yield Part(_ROLES[match[1]], yaml, python)
        at = match.end()
    if at < len(marked):
        yield marked[at:]


def settled(text: str) -> str:
    """Return a text without marks; one that had any is a `Text`."""
    return Text(text) if _START in text else text


def parts_of(text: str) -> tuple[str | Part, ...]:
    """Return the parts of a text of a diagnostic."""
    return text.parts if isinstance(text, Text) else (text,)


def unmarked(text: str) -> str:
    """Return a marked text as it reads in a spec, where it is no text of a diagnostic."""
    return str(settled(text))


def code(yaml: object) -> str:
    """Mark a value, an option, `dim: 1`, or a node that is shown, and not applied."""
    return _marked("code", str(yaml))


def put(yaml: object, python: str = "") -> str:
    """Mark what to write: a value in place of the marked text, an entry, `dim: 1`, or a layer with options."""
    return _marked("put", str(yaml), python)


def name(near: str) -> str:
    """Mark the name that was probably meant by a wrong one."""
    return _marked("name", near)


def insert(node: str) -> str:
    """Mark a node to put between a source and its reader: `{layer: Flatten, from: x}`."""
    return _marked("insert", node)


def drop(yaml: str) -> str:
    """Mark what to remove: the entry or item at fault."""
    return _marked("drop", yaml)


def words(yaml: str, python: str) -> str:
    """Mark words that are others in Python."""
    return _marked("words", yaml, python)


def did_you_mean(*names: str) -> str:
    """Return the help with names that were probably meant."""
    return f"did you mean {' or '.join(map(name, names))}?"


def write(yaml: object) -> str:
    """Return the help that says what to write."""
    return f"write {put(yaml)}"


def remove(yaml: str) -> str:
    """Return the help that says what to remove."""
    return f"remove {drop(yaml)}"


def choices_of(names: Collection[str]) -> Iterable[str]:
    """Return the names that are possible, each marked if they are few enough to propose each."""
    return map(put, names) if len(names) <= MOST_PROPOSED else names


def _marked(role: Role, *texts: str) -> str:
    return f"{_START}{role[0]}{_BETWEEN.join(texts)}{_END}"


MAPPING = words("mapping", "dict")
SEQ = words("seq", "Sequential")
TRUE_OR_FALSE = f"{code('true')} or {code('false')}"
NAME_IN = words("name it in the outputs of", "return it from")
REMOVE = remove("it")
