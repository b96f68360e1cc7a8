"""The exit codes of the commands, and the error for a command that was called wrongly."""

from __future__ import annotations

OK, WRONG_SPEC, WRONG_CALL = 0, 1, 2


class CallError(Exception):
    """The call is wrong: a file does not exist, say, or the spec has no param of this name."""

    exit_code = WRONG_CALL


class CannotImport(CallError):
    """The call is right, and the model that it names cannot be imported."""

    exit_code = WRONG_SPEC
