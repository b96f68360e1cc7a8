"""Find the modules that are called in several scopes, as two blocks cannot have the same module.

    class Encoder(nn.Module):
        def forward(self, x, shared):
            return shared(self.fc(x))

Where such an encoder and a decoder are given one module, neither is a block: what they call stands in
the body around both, and the shared module there once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from mimgraph.importer.trace.records import Call


def dissolved_scopes(root: Call) -> set[str]:
    """Return the paths of the modules whose calls stand in the body around them."""
    scopes = dict[str, list[list[str]]]()
    for path, around in _calls(root, []):
        scopes.setdefault(path, []).append(around)
    found = set[str]()
    for stacks in scopes.values():
        if len({stack[-1] for stack in stacks}) > 1:
            common = os.path.commonprefix(stacks)
            found |= {path for stack in stacks for path in stack[len(common) :]}
    return found


def _calls(call: Call, around: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the path of each module with weights that is called, and the paths of the calls around it."""
    within = [*around, call.path]
    for item in call.items:
        if isinstance(item, Call):
            if next(iter(item.module.state_dict()), None) is not None:
                yield item.path, within
            if not item.is_closed:
                yield from _calls(item, within)
