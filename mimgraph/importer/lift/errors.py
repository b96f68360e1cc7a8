"""The errors that a part of a trace, or a whole model, cannot be declared."""

from __future__ import annotations

from mimgraph.importer.trace.records import NOWHERE, Call, Place
from mimgraph.importer.user_errors import UserLine


class CannotLift(Exception):
    """A function, or a use of one, that the language cannot express.

    `reason` is a short name of the kind, for the report: `opaque[batch]`. `call` is the smallest call
    of a module that must stay Python for it; None until the body that is lifted is known.
    """

    def __init__(
        self, reason: str, message: str, call: Call | None = None, place: Place = NOWHERE
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.call = call
        self.place = place


class ImportFailed(ValueError):
    """Raised for a model that cannot be declared at all; the message has the user's line at fault."""

    def __init__(self, model: str, error: CannotLift) -> None:
        line = f"\n  {UserLine(*error.place)}" if error.place.line else ""
        self.fault = f"{error.message}{line}"
        super().__init__(f"{model} cannot be imported: {self.fault}")
