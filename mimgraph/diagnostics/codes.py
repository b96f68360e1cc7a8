"""The diagnostic codes: one entry each, with the sentence that says what it means."""

from __future__ import annotations

CODES: dict[str, str] = {
    # reading
    "yaml-syntax": "the text is not YAML",
    "yaml-subset": "an anchor, alias, tag, second document, or a key that is not a string",
    "ambiguous-scalar": "a plain scalar that YAML 1.1 and 1.2 read differently",
    "duplicate-key": "a key stands twice in one mapping",
    "unknown-key": "a key that has no meaning here",
    "missing-key": "a key that must be given is not",
    "wrong-type": "a value of another type than the key takes",
    "too-large": "a published limit is passed",
    # names
    "bad-name": "a name that nothing in the emitted module can have",
    "duplicate-name": "two things of one namespace share a name",
    "unknown-layer": "no layer has this name",
    "unknown-merge": "no merge has this name",
    "unknown-block": "no block has this name",
    "unknown-source": "no input or node has this name",
    "unknown-port": "the node has no such result",
    "unknown-param": "no param or dimension has this name",
    "bad-expression": "an expression that cannot be read or computed",
    # options
    "unknown-option": "the layer, merge or block takes no such option",
    "missing-option": "an option without a default is not given",
    "bad-option": "an option's value is of the wrong type, out of range, or does not fit the sizes",
    "inferred-conflict": "an option that the input decides is given with another value",
    "torch-version": "an option that this release of torch does not have yet",
    # the graph
    "cycle": "nodes feed each other, or a block contains itself",
    "unused-input": "nothing reads an input",
    "unused-node": "no output depends on a node",
    "wrong-arity": "too many or too few sources",
    "optional-source": "an optional input meets an op that does not say what to do without it",
    # shapes
    "rank-mismatch": "a tensor has another number of axes than the op takes",
    "shape-mismatch": "sizes that must be equal are not",
    "dtype-mismatch": "a dtype that the op does not take",
    "symbolic-size": "a size that must be known when the module is built is a name",
    "empty-output": "the result would have no elements",
    # legal, but probably a mistake
    "unused-param": "nothing uses a param (a warning: the spec is legal)",
}

WARNINGS = frozenset({"unused-param"})  # told by a check, which passes
