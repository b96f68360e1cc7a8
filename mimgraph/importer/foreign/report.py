"""Report what a model of another library became."""

from __future__ import annotations

from mimgraph.importer.foreign.model import ForeignModel
from mimgraph.importer.proof.prove import Proof
from mimgraph.importer.report.remarks import Remark
from mimgraph.importer.report.report import ImportReport
from mimgraph.importer.trace.records import Place
from mimgraph.runtime.weight_transfer.by_keys import Keys

NOT_COMPARED = "nothing in the file is run, so there is no module to compare with"


def foreign_report(found: ForeignModel, path: str, nodes: int, keys: Keys) -> ImportReport:
    """Return the report, whose proof says that nothing could be compared."""
    remarks = [
        Remark(note.kind, note.reason, note.node, note.message, Place(path, 1))
        for note in found.notes
    ]
    return ImportReport(remarks, Proof(not_compared=_not_compared(found)), nodes, keys)


def note_comments(found: ForeignModel, path: str) -> dict[str, str]:
    """Return the comments of the spec: at the top that nothing was compared, and each note at its node."""
    comments = {"": f"Not compared: {_not_compared(found)} ({path})"}
    for note in found.notes:
        text = f"{note.kind}[{note.reason}]: {note.message}"
        key = f"nodes.{note.node}" if note.node in found.spec["nodes"] else ""
        comments[key] = f"{comments[key]}\n{text}" if key in comments else text
    return comments


def _not_compared(found: ForeignModel) -> str:
    """Return why the graph was not compared with a module."""
    if not found.plugin:
        return NOT_COMPARED
    return f"{found.plugin} read the file, and gave no module to compare with"
