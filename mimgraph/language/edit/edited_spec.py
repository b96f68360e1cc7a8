"""Hold the text of a spec with its tree, while edits change both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mimgraph.diagnostics import Report
from mimgraph.language.edit.find_entry import Found, Missing, find, unknown
from mimgraph.language.edit.find_name import fault
from mimgraph.language.text_edits import TextEdit, edited
from mimgraph.language.tree import Mapping
from mimgraph.language.yaml_reader import compose
from mimgraph.source import SourceFile
from mimgraph.support.arguments import as_text


class EditedSpec:
    """The present version of the text of a spec, and its tree."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.tree = _composed(file)

    def apply(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; the edits are of its present version."""
        file = SourceFile(self.file.name, edited(self.file, [*edits]))
        self.tree = _composed(file)
        self.file = file

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Put the text back as it was if one of the edits inside cannot be made."""
        file, tree = self.file, self.tree
        try:
            yield
        except BaseException:
            self.file, self.tree = file, tree
            raise

    def find(self, path: str) -> Found | Missing:
        """Return what a path names, or where it would be."""
        return find(self.tree, as_text("the path", path))

    def known(self, path: str) -> Found:
        """Return what a path names; raise a `SpecError` if nothing has that name."""
        found = self.find(path)
        if isinstance(found, Missing):
            raise unknown(found)
        return found


def _composed(file: SourceFile) -> Mapping:
    """Return the tree of a text; raise a `SpecError` if it has none."""
    report = Report()
    tree = compose(file, report.add)
    report.raise_if_any()
    if not isinstance(tree, Mapping):
        raise fault("a spec must be a mapping", file.start)
    return tree
