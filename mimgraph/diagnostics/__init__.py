"""What is wrong with a spec, as data: a diagnostic, its labels, and the error that carries them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from mimgraph.diagnostics.codes import CODES
from mimgraph.source import Span


class Label(NamedTuple):
    """Another place that a diagnostic speaks of."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault: its code, a terse sentence, the smallest span at fault, and how to mend it.

    `note` stands behind the carets; `node` is the path of the node as `state_dict` has it.
    """

    code: str
    message: str
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    node: str = ""

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code


class SpecError(ValueError):
    """A spec, or a call that builds one, is wrong; `diagnostics` holds every fault."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from mimgraph.diagnostics.render import render_text  # which is about this module

        return render_text(self.diagnostics)

    def shortened(self) -> SpecError:
        """Without the frames of this package, which tell nothing; not where a user's is among them."""
        frame = self.__traceback__
        while frame is not None and _is_ours(frame.tb_frame.f_globals.get("__name__", "")):
            frame = frame.tb_next
        return self if frame is not None else self.with_traceback(None)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "mimgraph"


class Report:
    """Collects the faults of one spec, and the names they speak of.

    What such a name refers to, or nearly, is not called unused beside them.
    """

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.spoken: set[str] = set()

    def add(self, diagnostic: Diagnostic, *spoken: str) -> None:
        """Note a fault and the names that it speaks of."""
        self.diagnostics.append(diagnostic)
        self.spoken.update(spoken)

    def raise_if_any(self) -> None:
        """Raise what was found as one `SpecError`."""
        if self.diagnostics:
            raise SpecError(self.diagnostics)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By position; of faults with one code at one span the first, but every missing thing."""
    unique: dict[tuple[str, Span, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        what = diagnostic.message if diagnostic.code.startswith("missing-") else ""
        unique.setdefault((diagnostic.code, diagnostic.span, what), diagnostic)
    return sorted(unique.values(), key=lambda d: (d.span.file.name, d.span[1:], d.code))
