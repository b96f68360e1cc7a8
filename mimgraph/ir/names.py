"""Check the names that a spec gives, which become attributes, arguments and keys of weights; number
names that are taken."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Container, Mapping

from mimgraph.diagnostics.text import put

# Names that the emitted file itself uses: a local or a constructor's argument with such a name is
# renamed there. The class keeps the name that the spec gives it, so that may be none of these.
EMITTED = frozenset(
    [
        *("self", "torch", "nn", "F", "Tensor", "Any", "Self", "enumerate", "range"),
        *("super", "zip"),
        *("peft", "torchvision", "timm", "transformers", "sentence_transformers"),
        "create_feature_extractor",
        *("_Keyed", "_with_names", "_ModuleDict", "_ParameterDict", "_present", "_sinusoid"),
        *("_features", "_rois", "_sines_cosines", "_weighted_mean", "_weighted_sum"),
    ]
)

# Names that no node, block or size can have, as renaming a local would not help: by name, the reason.
REFUSED: Mapping[str, str] = {
    "forward": "torch runs every module by a method of this name",
    "training": "every nn.Module keeps there whether it trains",
}
# An input's name is also that of an argument of `forward`.
REFUSED_FOR_INPUTS = {
    **REFUSED,
    "self": "a forward has the module itself as its argument self",
    "Self": "torch.export reads it as self, the module itself",
    "torch": "what torch.export writes needs torch itself by this name",
}

NOT_A_NAME = "a name is letters, digits and underscores, and starts with no digit"
DUNDER = "names with two leading underscores are Python's: begin it with a letter"


def name_fault(name: str, refused: Mapping[str, str] = REFUSED) -> str | None:
    """Return why `name` cannot name a node, block or size; None if it can."""
    if name in refused:
        return _instead(refused[name], name)
    if not (name.isascii() and name.isidentifier()):
        return NOT_A_NAME
    if keyword.iskeyword(name):
        return _instead("it is a keyword of Python", name)
    return DUNDER if name.startswith("__") else None


def input_fault(name: str) -> str | None:
    """Return why `name` cannot name an input; None if it can."""
    return name_fault(name, REFUSED_FOR_INPUTS)


def param_fault(name: str) -> str | None:
    """Return why `name` cannot name a param; None if it can."""
    return name_fault(name, {})


def class_fault(name: str) -> str | None:
    """Return why `name` cannot name the graph, and so its class; None if it can."""
    if name in EMITTED:
        return f"the emitted file uses this name: write {put(f'{name}_')}, or another name"
    return name_fault(name)


def port_fault(name: str) -> str | None:
    """Return why `name` cannot name a port of an `each`; None if it can.

    The parts of a `Split` are numbers, and so are the ports of an `each` of them.
    """
    if not (name.isascii() and (name.isidentifier() or name.isdecimal())):
        return NOT_A_NAME
    return DUNDER if name.startswith("__") else None


def legal_name(wanted: str, fault: Callable[[str], str | None] = name_fault) -> str:
    """Return a name like the wanted one in which `fault` finds nothing wrong.

    >>> legal_name("größe"), legal_name("2.conv"), legal_name("lambda")
    ('gr__e', 'm2_conv', 'lambda_')
    """
    name = re.sub("^__+", "_", re.sub(r"[^a-zA-Z0-9_]", "_", wanted))
    if not name or name[0].isdigit():
        name = f"m{name}"
    while fault(name) is not None:
        name += "_"
    return name


_WORDS = {"PReLU": "Prelu", "RReLU": "Rrelu", "ReLU": "Relu", "SiLU": "Silu"}
_ABBREVIATED = re.compile("|".join(_WORDS))
_NEW_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """Return a class's name in snake case.

    >>> snake_case("MaxPool2d"), snake_case("ReLU")
    ('max_pool2d', 'relu')
    """
    return _NEW_WORD.sub("_", _ABBREVIATED.sub(lambda m: _WORDS[m[0]], name)).lower()


def free_name(wanted: str, taken: Container[str], first: int = 2) -> str:
    """Return a name that is not taken: `wanted`, or with a number behind it, from `first` on."""
    name, number = wanted, first
    while name in taken:
        name = f"{wanted}_{number}"
        number += 1
    return name


def _instead(reason: str, name: str) -> str:
    """Return the reason with a name that is allowed."""
    return f"{reason}: write {name}_, or another name"
