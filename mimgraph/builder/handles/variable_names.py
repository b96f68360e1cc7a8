"""Find the variables in which the user's code holds the sources of a call, to name them in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mimgraph.builder.handles.records import Record, Reference
from mimgraph.builder.user_line import running_call, user_frame
from mimgraph.ir.names import name_fault

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*\b(?!\s*=[^=])")  # not the name of a keyword argument


def variable_names(sources: Iterable[object]) -> dict[Record, str]:
    """Return the variable of each source that the text of the running call mentions, `h` in
    `merges.concat(h, x)`: the node of an unnamed layer has a name that the user never wrote."""
    frame, span = user_frame(), running_call()
    known = {**frame.f_globals, **frame.f_locals}
    records = {one.record for one in sources if isinstance(one, Reference)}
    found: dict[Record, str] = {}
    for word in filter(_is_name, _WORD.findall(span.excerpt().text)):
        one = known.get(word)
        if isinstance(one, Reference) and one.port is None and one.record in records:
            found.setdefault(one.record, word)
    return {record: word for record, word in found.items() if word != record.label}


def _is_name(word: str) -> bool:
    """Return whether a node may have this name."""
    return name_fault(word) is None
