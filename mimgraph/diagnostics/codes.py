"""List the codes of diagnostics, each with the sentence that says what it means.

A new code gets a line in each of the two lists, and a page in `pages/`.
"""

from __future__ import annotations

from typing import Literal

MANUAL = "https://mimgraph.github.io/mimgraph/"  # has a page for each

DiagnosticCode = Literal[
    # reading
    "yaml-syntax",
    "yaml-subset",
    "ambiguous-scalar",
    "duplicate-key",
    "unknown-key",
    "missing-key",
    "wrong-type",
    "too-large",
    "bad-part",
    # names
    "bad-name",
    "duplicate-name",
    "unknown-layer",
    "unknown-merge",
    "unknown-block",
    "unknown-source",
    "unknown-port",
    "unknown-param",
    "bad-expression",
    # options
    "unknown-option",
    "missing-option",
    "bad-option",
    "inferred-conflict",
    "torch-version",
    "missing-package",
    "missing-weights",
    "broken-plugin",
    "cannot-run",
    # the graph
    "cycle",
    "unused-input",
    "unused-node",
    "wrong-arity",
    "optional-source",
    # shapes
    "rank-mismatch",
    "shape-mismatch",
    "batch-moved",
    "carry-mismatch",
    "dtype-mismatch",
    "symbolic-size",
    "empty-output",
    # the cost
    "over-limit",
    # legal, but probably a mistake
    "partly-frozen",
    "unused-param",
    "deprecated",
]

CODES: dict[DiagnosticCode, str] = {
    "yaml-syntax": "the text is not YAML",
    "yaml-subset": "an anchor, alias, tag, second document, or a key that is not a string",
    "ambiguous-scalar": "a plain scalar that YAML 1.1 and 1.2 read differently",
    "duplicate-key": "a key is given twice in one mapping",
    "unknown-key": "a key that has no meaning here",
    "missing-key": "a required key is missing",
    "wrong-type": "a value has another type than the key takes",
    "too-large": "a published limit is exceeded",
    "bad-part": "a path in `parts` names no file that can be a part",
    "bad-name": "a name that the emitted module cannot use",
    "duplicate-name": "two things in one namespace have the same name",
    "unknown-layer": "no layer has this name",
    "unknown-merge": "no merge has this name",
    "unknown-block": "no block has this name",
    "unknown-source": "no input or node has this name",
    "unknown-port": "the node has no such result",
    "unknown-param": "no param or dimension has this name",
    "bad-expression": "an expression that cannot be read or computed",
    "unknown-option": "the layer, merge or block takes no such option",
    "missing-option": "a required option is missing",
    "bad-option": "an option's value is of the wrong type, out of range, or does not fit the sizes",
    "inferred-conflict": "an option that follows from the input is given with another value",
    "torch-version": "an option that this release of torch does not have yet",
    "missing-package": "a layer of a package that is not installed",
    "missing-weights": "a file of a pretrained model that is not on this machine",
    "broken-plugin": "a layer or merge of an installed package that cannot be used",
    "cannot-run": "a module of the user's cannot be run to find its shapes",
    "cycle": "nodes depend on each other, or a block contains itself",
    "unused-input": "nothing reads an input",
    "unused-node": "no output depends on a node",
    "wrong-arity": "too many or too few sources",
    "optional-source": "an optional input feeds an op that does not say what to do without it",
    "rank-mismatch": "a tensor has another number of axes than the op takes",
    "shape-mismatch": "sizes that must be equal are not",
    "batch-moved": "the batch of a tensor is not its first axis, where the op needs it first",
    "carry-mismatch": "a step of a scan hands on a tensor of another shape or dtype than it was given",
    "dtype-mismatch": "a dtype that the op does not take",
    "symbolic-size": "a size that must be known when the module is built is a name",
    "empty-output": "the result would have no elements",
    "over-limit": "the graph costs more than its `limits` allow",
    "partly-frozen": "a frozen block shares a layer that learns (a warning: the spec is legal)",
    "unused-param": "nothing uses a param (a warning: the spec is legal)",
    "deprecated": "a spelling that has a newer one (a warning: the spec is legal)",
}

# `check` prints them and passes
WARNINGS: frozenset[DiagnosticCode] = frozenset({"partly-frozen", "unused-param", "deprecated"})
