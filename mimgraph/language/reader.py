"""What every part of a spec is read with: what a thing must be, and how it is told that it is not."""

from __future__ import annotations

from mimgraph.diagnostics import Diagnostic, Report
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.diagnostics.nearest import suggestion
from mimgraph.ir.graph import FAULTY, OTHERS
from mimgraph.language.yaml_tree import Mapping as Map
from mimgraph.language.yaml_tree import Scalar, Tree, texts
from mimgraph.source import SourceFile, Span

# how what is a mapping is written
MAPPINGS = {
    "inputs": "{name: shape}: {image: [3, 32, 32]}",
    "nodes": "{name: node}: {hidden: {layer: ReLU, from: image}}",
    "blocks": "{name: block}: {step: {seq: [ReLU]}}",
    "params": "{name: value}: {hidden: 64}",
    "with": "{param: values}: {width: [64, 128]}",
}


class Reader:
    """Reads one spec; `blocks` are the names of its blocks, `lost` the names of inputs and nodes of
    the current scope that could not be read, `misnamed` params with bad names."""

    def __init__(self, file: SourceFile, report: Report) -> None:
        self.report = report
        self.origin = Span(file, 1, 1, 1, 1)
        self.blocks: frozenset[str] = frozenset()
        self.lost: frozenset[str] = frozenset()
        self.misnamed: set[str] = set()
        self.lost_blocks: set[str] = set()

    def fault(
        self,
        code: DiagnosticCode,
        message: str,
        span: Span,
        *,
        help: str = "",
        node: str = "",
        tree: Tree | None = None,
    ) -> None:
        """Report; the words of `tree` are what the fault speaks of."""
        spoken = texts(tree) if tree is not None else ()
        self.report.add(Diagnostic(code, message, span, help=help, node=node), *spoken)

    def wrong_type(self, what: str, wants: str, tree: Tree, node: str = "", help: str = "") -> None:
        if not (is_faulty(tree) or (isinstance(tree, Map) and tree.lost)):
            message = f"{what} is {wants}"
            self.fault("wrong-type", message, tree.span, help=help, node=node, tree=tree)

    def unknown_key(
        self, what: str, key: Scalar, choices: tuple[str, ...], tree: Tree | None, node: str = ""
    ) -> None:
        help = suggestion(key.text, choices) or f"its keys: {', '.join(choices)}"
        self.fault(
            "unknown-key",
            f"{what} has no key {key.text!r}",
            key.span,
            help=help,
            node=node,
            tree=tree,
        )

    def check_keys(self, what: str, tree: Map, choices: tuple[str, ...], node: str = "") -> bool:
        """Whether all keys are known; the others are reported, those that are no keys already."""
        unknown = [key for key, _ in tree.entries if key.text not in choices]
        for key in unknown:  # whose faults all speak of the words of the mapping
            self.unknown_key(what, key, choices, tree if key is unknown[0] else None, node)
        return not (unknown or tree.lost)

    def mapping(self, what: str, tree: Tree | None, help: str = "") -> Map | None:
        """`tree` as a mapping; None, told if it is something else."""
        if tree is None or isinstance(tree, Map):
            return tree
        self.wrong_type(what, "a mapping", tree, help=help or MAPPINGS.get(what, ""))
        return None

    def entries(self, tree: Map) -> dict[str, tuple[Scalar, Tree]]:
        """Return the entries by key; OTHERS is a faulty value if one was left out because of its
        key."""
        found = {key.text: (key, value) for key, value in tree.entries}
        return found if not tree.lost else {**found, OTHERS: unreadable(tree.span)}

    def things(self, tree: Map, words: tuple[str, ...] = ()) -> list[tuple[Scalar, Tree]]:
        """Return the entries of a section. A mere value (behind one of the `words`, if given) is
        indented too little: it belongs to the mapping before it, which is then incomplete."""
        found: list[tuple[Scalar, Tree]] = []
        for key, value in tree.entries:
            before = found[-1] if found else None
            is_value = isinstance(value, Scalar) and value.value not in (None, FAULTY)
            fits = is_value and (not words or key.text in words)
            if fits and before is not None and isinstance(before[1], Map):
                lost = (*before[1].lost, key.text)
                found[-1] = before[0], before[1]._replace(lost=lost)
                self.report.spoken.add(key.text)
            found.append((key, value))
        return found

    def text(self, what: str, tree: Tree | None) -> str | None:
        """`tree` as a text."""
        if isinstance(tree, Scalar) and tree.name is not None:
            return tree.name
        if tree is not None:
            help = rewritten('quote it: "{}"', tree)
            self.wrong_type(what, "a text", tree, help=help)
        return None

    def flag(self, what: str, tree: Tree | None) -> bool:
        """`true` or `false`, which it is where it is left out."""
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return tree.value
        if tree is not None:
            self.wrong_type(what, "true or false", tree)
        return False


def rewritten(form: str, tree: Tree) -> str:
    """What is there in the form that is wanted, where it is a word, a number or a tuple of Python."""
    is_word = isinstance(tree, Scalar) and tree.value not in (None, FAULTY)
    return form.format(tree.text.strip("()")) if is_word and isinstance(tree, Scalar) else ""


def unreadable(span: Span) -> tuple[Scalar, Scalar]:
    """Return an entry for those whose keys could not be read."""
    return Scalar(OTHERS, span, OTHERS, plain=True), Scalar(FAULTY, span, "", plain=True)


def is_faulty(tree: Tree | None) -> bool:
    """Return whether the value could not be read, which is reported already."""
    return isinstance(tree, Scalar) and tree.value is FAULTY
