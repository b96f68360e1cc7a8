"""The error that a part of a trace cannot be declared."""

from __future__ import annotations

from mimgraph.importer.trace.records import NOWHERE, Call, Place


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
