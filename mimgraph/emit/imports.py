"""Find the names that the classes of a file use, and write the import lines for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from mimgraph.emit.format.statements import Assign, Class, Expr, For, If, Return, Statement
from mimgraph.ir.code import Code, Name, walk
from mimgraph.ops.registry import LIBRARIES

MODULES = frozenset({"torch", "peft", *LIBRARIES})  # imported under their own names
MEMBERS = {"create_feature_extractor": "torchvision.models.feature_extraction"}
_WORD = re.compile(r"\w+")


def used_names(classes: Iterable[Class]) -> set[str]:
    """Return the first part of every name in code and annotations."""
    names: set[str] = set()
    annotations: set[str] = set()
    for definition in classes:
        names.add(definition.base)
        for function in definition.body:
            annotations |= {p.annotation for p in function.parameters} | {function.returns}
            own = {p.name for p in function.parameters}  # an input may be called as a module is
            found = walk(*codes(function.body))
            names |= {part.id for part in found if isinstance(part, Name)} - own
    firsts = {name.partition(".")[0] for name in names}
    return {word for text in firsts | annotations for word in _WORD.findall(text)}


def imports(names: AbstractSet[str]) -> tuple[str, ...]:
    """Return the import lines for these names."""
    typing = [name for name in ("Any", "Self") if name in names]
    modules = {f"import {name}" for name in MODULES & names}
    if "F" in names:
        modules.add("import torch.nn.functional as F")
    torch = "from torch import Tensor, nn" if "Tensor" in names else "from torch import nn"
    members = {f"from {home} import {name}" for name, home in MEMBERS.items() if name in names}
    lines = [f"from typing import {', '.join(typing)}", ""] if typing else []
    return (*lines, *sorted(modules), *sorted({torch, *members}))


def codes(statements: Iterable[Statement]) -> Iterator[Code]:
    """Yield the expressions of statements."""
    for statement in statements:
        match statement:
            case Assign(_, value) | Return(value) | Expr(value):
                yield value
            case For(_, iterable, body):
                yield iterable
                yield from codes(body)
            case If(test, body, orelse):
                yield test
                yield from codes((*body, *orelse))
