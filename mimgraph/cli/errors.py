"""The exit codes of the commands, and the errors for a command that was called wrongly."""

from __future__ import annotations

from mimgraph.diagnostics import SpecError

OK, WRONG_SPEC, WRONG_CALL = 0, 1, 2


class CallError(Exception):
    """The call is wrong: a file does not exist, say, or the spec has no param of this name.

    `help` says what to write instead; it may stand at the end of the message, `: did you mean hidden?`
    """

    exit_code = WRONG_CALL

    def __init__(self, message: str, help: str = "") -> None:
        text, suggestion, end = message.partition("did you mean ")
        if suggestion and not help and "\n" not in end:
            message, help = text.rstrip(" ,;:"), suggestion + end
        super().__init__(message)
        self.help = help


class CannotImport(CallError):
    """The call is right, and the model that it names cannot be imported."""

    exit_code = WRONG_SPEC


class CannotSearch(CallError):
    """The call is right, and the trials of the search that it begins fail."""

    exit_code = WRONG_SPEC


class WrongValue(CallError):
    """The value of an option is no YAML, `--set hidden={`; `diagnostics` mark where."""

    def __init__(self, error: SpecError) -> None:
        super().__init__(str(error))
        self.diagnostics = error.diagnostics
