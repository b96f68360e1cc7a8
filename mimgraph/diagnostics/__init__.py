"""What is wrong with a spec, as data: a diagnostic, its labels, and the error that carries them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Literal, NamedTuple

from mimgraph.diagnostics.codes import CODES, WARNINGS
from mimgraph.diagnostics.nearest import LONGEST, MOST_WORK, nearest, suggestion
from mimgraph.source import Span
from mimgraph.support.frozen_data import data

MAX_FAULTS = 1_000  # of one spec; more are of no use to anyone
UNUSED = ("unused-input", "unused-node")
MAX_TEXT = 1_000  # characters of what a fault says
MOST_SEARCHED = 4_000_000  # pairs of characters compared in all searches for one spec's names


class Label(NamedTuple):
    """Another place that a diagnostic speaks of."""

    span: Span
    text: str


@data
class Diagnostic:
    """One fault, or a warning: its code, a terse sentence, the smallest span at fault, and how to mend it.

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

    @property
    def severity(self) -> Literal["error", "warning"]:
        """Return "error" for a wrong spec, "warning" for a legal but odd one."""
        return "warning" if self.code in WARNINGS else "error"

    def brief(self) -> Diagnostic:
        """The same with its texts cut, as the names and shapes in them may be of any length."""
        texts = (self.message, self.note, self.help, self.node, *(l.text for l in self.labels))
        if all(len(text) <= MAX_TEXT for text in texts):
            return self
        return replace(
            self,
            message=_cut(self.message),
            note=_cut(self.note),
            help=_cut(self.help),
            labels=tuple(label._replace(text=_cut(label.text)) for label in self.labels),
            node=_cut(self.node),
        )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


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

    What such a name refers to, or nearly, is not called unused beside them. However many faults
    there are, to tell them takes bounded time and space: the last one may be that there are more.
    """

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.spoken: set[str] = set()
        self._searched = 0

    def add(self, diagnostic: Diagnostic, *spoken: str) -> None:
        """Note a fault and the names that it speaks of; beyond the limit, stop at once."""
        self.diagnostics.append(diagnostic.brief())
        self.spoken.update(spoken)
        if len(self.diagnostics) == MAX_FAULTS:
            message = f"more than {MAX_FAULTS:,} faults, so the rest is not read"
            self.diagnostics.append(Diagnostic("too-large", message, diagnostic.span))
            self.raise_if_any()

    def drop(self, is_silent: Callable[[Diagnostic], bool]) -> None:
        """Drop the faults that `is_silent`, as they follow from one that is reported later."""
        self.diagnostics = [one for one in self.diagnostics if not is_silent(one)]

    def label_since(self, before: int, uses: tuple[Label, ...]) -> None:
        """Label the diagnostics from the index `before` on, but for those that have labels."""
        for index in range(before, len(self.diagnostics)):
            if not self.diagnostics[index].labels:
                self.diagnostics[index] = replace(self.diagnostics[index], labels=uses)

    def drop_spoken_of(self) -> None:
        """Drop the inputs and nodes reported as unused that a later fault names."""
        self.drop(lambda one: one.code in UNUSED and one.span.excerpt().text in self.spoken)

    def nearest(self, name: str, choices: Collection[str]) -> str | None:
        """The choice that was probably meant; None, too, once the searches have cost enough."""
        return nearest(name, choices) if self._can_search(name, choices) else None

    def suggestion(self, name: str, choices: Collection[str], listed_as: str = "") -> str:
        """The help with a wrong name; none, too, once the searches have cost enough."""
        return suggestion(name, choices, listed_as) if self._can_search(name, choices) else ""

    def _can_search(self, name: str, choices: Collection[str]) -> bool:
        """Whether one more search is within what all may cost; to pass over a choice costs, too."""
        compared = min(MOST_WORK, len(choices) * min(len(name), LONGEST) ** 2)
        self._searched += 8 * len(choices) + compared
        return self._searched <= MOST_SEARCHED

    def speaks_of(self, name: str) -> bool:
        """Whether a fault speaks of this name or nearly names it."""
        if name in self.spoken:
            return True
        return any(self.nearest(word, (name,)) for word in self.spoken)

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
