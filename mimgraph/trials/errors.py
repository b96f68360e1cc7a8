"""Define the errors of a search that cannot begin or go on."""

from __future__ import annotations


class SearchError(ValueError):
    """Raised with the reason why a search cannot begin or go on; `help` says what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class TrialsFail(SearchError):
    """Raised when a search ends because its trials fail or their workers die."""
