"""Check the graphs of a Python file when the user asks, and show what was found while the text changes.

Nothing of a file runs but by the command `mimgraph.checkPython`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.uris import from_fs_path

from mimgraph.editor.server.handlers.session import refresh
from mimgraph.editor.server.positions import place, range_of
from mimgraph.editor.server.published import SEVERITIES
from mimgraph.editor.server.python_files import PythonFile, is_python
from mimgraph.source import SourceFile, Span

if TYPE_CHECKING:
    from mimgraph.editor.python_files.findings import CallHint, Findings, Lines, PythonFault
    from mimgraph.editor.server.spec_server import SpecServer

COMMAND = "mimgraph.checkPython"


def register(server: SpecServer) -> None:
    """Answer the command."""

    @server.command(COMMAND)
    async def check_python(uri: str) -> dict[str, Any] | None:
        from mimgraph.editor.python_files.runner import CannotRun, Run

        file = server.python_files.get(uri)
        if file is None:
            tell(server, "open the Python file to check it", types.MessageType.Warning)
            return None
        if file.run is not None:
            tell(server, "the file is running already", types.MessageType.Info)
            return None
        python, since = server.settings.interpreter or sys.executable, len(file.changes)
        try:
            file.run = Run(file.path, file.file.text, python, server.settings.seconds)
            findings = await file.run.findings()
        except CannotRun as error:
            tell(server, str(error), types.MessageType.Error)
            return None
        finally:  # the request may be cancelled, as at the end of a session
            file.stop()
        if server.python_files.get(uri) is file:  # it was not closed meanwhile
            file.found(findings, since)
            publish(server, file)
            refresh(server)
            refresh_lenses(server)
        return {
            "summary": summary(findings),
            "calls": findings.calls,
            "mistakes": len(findings.faults),
            "complete": findings.is_complete,
            "output": findings.output,
        }


def refresh_lenses(server: SpecServer) -> None:
    """Let the editor ask for lenses anew, if it can."""
    workspace = server.client_capabilities.workspace
    if workspace and workspace.code_lens and workspace.code_lens.refresh_support:
        server.workspace_code_lens_refresh(None)


# --- documents ------------------------------------------------------------------------------------


def opened(server: SpecServer, given: types.TextDocumentItem) -> bool:
    """Take a document that is opened, if it is Python; return whether it is."""
    if not is_python(given.uri, given.language_id):
        return False
    file = SourceFile(given.uri, given.text)
    server.python_files[given.uri] = PythonFile(given.uri, given.version, file)
    return True


def changed(server: SpecServer, params: types.DidChangeTextDocumentParams) -> bool:
    """Follow a change of a document, if it is Python; return whether it is."""
    file = server.python_files.get(params.text_document.uri)
    if file is None:
        return False
    file.change(params.text_document.version, params.content_changes)
    if file.findings is not None:
        publish(server, file)
    return True


def closed(server: SpecServer, uri: str) -> bool:
    """Forget a document that is closed, if it is Python; return whether it is."""
    file = server.python_files.pop(uri, None)
    if file is None:
        return False
    file.stop()
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
    return True


# --- what was found -------------------------------------------------------------------------------


def publish(server: SpecServer, file: PythonFile) -> None:
    """Send the faults of a file, where they are in its text now."""
    faults = file.findings.faults if file.findings else ()
    found = [shown(file, one) for one in faults]
    params = types.PublishDiagnosticsParams(file.uri, found, file.version)
    server.text_document_publish_diagnostics(params)


def shown(file: PythonFile, fault: PythonFault) -> types.Diagnostic:
    """Return a fault as the protocol has it; one without columns marks the whole line."""
    lines = [fault.message, fault.note, fault.help and f"help: {fault.help}"]
    related = [
        types.DiagnosticRelatedInformation(location(file, name, lines_), text)
        for name, lines_, text in fault.mentions
    ]
    return types.Diagnostic(
        range_of(span(file.file, fault.place)),
        "\n".join(line for line in lines if line),
        severity=SEVERITIES[fault.severity],
        code=fault.code,
        source="mimgraph",
        related_information=related,
    )


def location(file: PythonFile, name: str, lines: Lines) -> types.Location:
    """Return a place in this or another file."""
    here = name == file.path
    there = file.file if here else SourceFile(name, "")
    return types.Location(
        file.uri if here else from_fs_path(name) or "", range_of(span(there, lines))
    )


def span(file: SourceFile, lines: Lines) -> Span:
    """Return the span of a place; that of an empty one is the text of its line."""
    if lines[:2] != lines[2:]:
        return Span(file, *lines)
    text = file.line(lines.line)
    first = len(text) - len(text.lstrip()) + 1 if lines.column == 1 else lines.column
    return Span(file, lines.line, first, lines.line, max(first, len(text.rstrip()) + 1))


def hints(file: PythonFile, range: types.Range) -> list[types.InlayHint]:
    """Return the hints in a range, with a sign and a tooltip if the text has changed since the run."""
    if file.findings is None:
        return []
    start, end = place(file.file, range.start), place(file.file, range.end)
    stale = file.findings.is_stale
    return [_hint(file, one, stale) for one in file.findings.hints if start <= one.place[2:] <= end]


def _hint(file: PythonFile, one: CallHint, stale: bool) -> types.InlayHint:
    behind = range_of(span(file.file, one.place)).end
    return types.InlayHint(
        behind,
        f"~ {one.text}" if stale else one.text,
        kind=types.InlayHintKind.Type,
        padding_left=True,
        tooltip="The text has changed since the last run." if stale else None,
    )


def lenses(file: PythonFile) -> list[types.CodeLens]:
    """Return the lens that runs a file which imports mimgraph, with the outcome of the last run."""
    line = file.import_line
    if line is None:
        return []
    title = "check the graphs of this file"
    if file.findings is not None:
        title += f" again ({summary(file.findings)})"
    range = types.Range(types.Position(line - 1, 0), types.Position(line - 1, 0))
    return [types.CodeLens(range, types.Command(title, COMMAND, arguments=[file.uri]))]


def summary(findings: Findings) -> str:
    """Return the outcome of a run in a few words."""
    count = len(findings.faults)
    if count:
        return f"{count} mistake{'s' * (count != 1)}"
    if not findings.calls:
        return "no graph was built; what stands under __main__ does not run"
    return f"{findings.calls} call{'s' * (findings.calls != 1)}, no mistakes"


def tell(server: SpecServer, message: str, kind: types.MessageType) -> None:
    """Show a message to the user."""
    server.window_show_message(types.ShowMessageParams(kind, message))
