"""Hold a spec that is being edited, and analyse each version with the parts of the last one."""

from __future__ import annotations

from mimgraph.editor.analysis import Analysis, analyse_next
from mimgraph.editor.document.buffer import Buffer
from mimgraph.editor.document.memory import Memory
from mimgraph.language.parts.part_files import Place


class OpenSpec:
    """A spec that is being edited: its text and its entries."""

    def __init__(self, name: str, text: str) -> None:
        self.file = Buffer(name, text)
        self._memory = Memory(self.file)

    def analyse(self, place: Place | None = None) -> Analysis:
        """Analyse the text as it is now; `place` says where its parts are found."""
        return analyse_next(self.file, place, self._memory)
