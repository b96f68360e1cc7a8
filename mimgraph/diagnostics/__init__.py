"""Define diagnostics as data: a fault with its labels, the report that collects them, `SpecError`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from mimgraph.diagnostics.codes import WARNINGS, DiagnosticCode
from mimgraph.diagnostics.nearest import LONGEST, MOST_WORK, nearest, suggestion
from mimgraph.diagnostics.text import settled
from mimgraph.source import Span
from mimgraph.support import objects
from mimgraph.support.arguments import Depth, as_path

if TYPE_CHECKING:
    from pathlib import Path

MAX_FAULTS = 1_000  # reported for one spec
UNUSED: tuple[DiagnosticCode, ...] = ("unused-input", "unused-node")
NOTHING_KNOWN = "no part of the graph is known, so there is nothing to draw"
MAX_TEXT = 1_000  # characters of each text of a diagnostic
MOST_SEARCHED = 4_000_000  # pairs of characters compared in all searches for one spec's names


class Label(NamedTuple):
    """Another place that a diagnostic refers to, with a text to show there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning: its code, a terse sentence, the smallest span at fault, and how to fix it.

    `note` is shown behind the carets; `node` is the path of the node as in the `state_dict`.
    """

    code: DiagnosticCode
    message: str
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    node: str = ""

    def __post_init__(self) -> None:
        for field in ("message", "note", "help"):
            object.__setattr__(self, field, settled(getattr(self, field)))
        labels = tuple(Label(span, settled(text)) for span, text in self.labels)
        object.__setattr__(self, "labels", labels)

    @property
    def severity(self) -> Literal["error", "warning"]:
        """Return "error" for a wrong spec, "warning" for a legal but odd one."""
        return "warning" if self.code in WARNINGS else "error"

    def brief(self) -> Diagnostic:
        """Return the diagnostic with long texts cut: names and shapes in them can have any length."""
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


class Sketch(Protocol):
    """The part of a wrong graph that is known, as what draws it offers it; errors cannot import pictures."""

    def scene(self, faults: Sequence[Diagnostic], **view: Any) -> Any:
        """Return the picture with the options of `Graph.draw`."""

    def draw(self, faults: Sequence[Diagnostic], path: Path, **view: Any) -> None:
        """Write the picture to a file."""

    def html(self, faults: Sequence[Diagnostic]) -> str:
        """Return the picture for a notebook; "" if it cannot be drawn."""


class SpecError(ValueError):
    """A spec, or a call that builds one, is wrong; `diagnostics` holds every fault.

    `sketch` draws the part of the graph that is known, if there is one.
    """

    sketch: Sketch | None = None
    _is_shown = False

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        from mimgraph.diagnostics.render import render_text  # it imports this module

        return render_text(self.diagnostics)

    def __reduce__(self) -> tuple[type[SpecError], tuple[list[Diagnostic]]]:
        """Pickle the diagnostics alone: a sketch refers to the calls of the user."""
        return type(self), (self.diagnostics,)

    def draw(
        self,
        path: str | PathLike[str],
        *,
        direction: Literal["TB", "LR"] = "TB",
        depth: Depth | None = None,
        collapse: bool = False,
        theme: Literal["light", "dark"] | None = None,
        wrap: bool = False,
    ) -> None:
        """Draw the part of the graph that is known, with the faults in red and their messages.

            try:
                graph = mg.load("model.yaml")
            except mg.SpecError as error:
                error.draw("model.svg")

        The suffix of the path and the options are those of `Graph.draw`. A `ValueError` says that nothing
        is known, as of a text that is not YAML.
        """
        if self.sketch is None:
            raise ValueError(NOTHING_KNOWN)
        self.sketch.draw(
            self.diagnostics,
            as_path("the file to draw", path),
            direction=direction,
            depth=depth,
            collapse=collapse,
            theme=theme,
            wrap=wrap,
        )

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython prints, which calls this; in a notebook, show the picture above
        them."""
        # IPython calls this a second time, for its history
        if self.sketch is not None and not self._is_shown and objects.runs_in_notebook():
            self._is_shown = True
            if picture := self.sketch.html(self.diagnostics):
                objects.publish(picture)
        return objects.traceback_lines(self)


class Report:
    """Collects the diagnostics of one spec, and the names that they mention.

    An input or node with such a name, or a similar one, is not reported as unused. The number of
    diagnostics and the time for searching similar names are bounded.
    """

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.mentioned: set[str] = set()
        self._searched = 0

    def add(self, diagnostic: Diagnostic, *mentioned: str) -> None:
        """Add a fault and the names that it mentions; at the limit, raise them all."""
        self.diagnostics.append(diagnostic.brief())
        self.mentioned.update(mentioned)
        if len(self.diagnostics) == MAX_FAULTS:
            message = f"more than {MAX_FAULTS:,} faults, so the rest is not read"
            self.diagnostics.append(Diagnostic("too-large", message, diagnostic.span))
            self.raise_if_any()

    def drop(self, is_silent: Callable[[Diagnostic], bool]) -> None:
        """Drop the faults for which `is_silent`, because they follow from one reported later."""
        self.diagnostics = [one for one in self.diagnostics if not is_silent(one)]

    def label_since(self, before: int, uses: tuple[Label, ...]) -> None:
        """Add the labels to each diagnostic from the index `before` on that has none."""
        for index in range(before, len(self.diagnostics)):
            if not self.diagnostics[index].labels:
                self.diagnostics[index] = replace(self.diagnostics[index], labels=uses)

    def drop_mentioned(self) -> None:
        """Drop the diagnostics of unused inputs and nodes that a later fault mentions."""
        self.drop(lambda one: one.code in UNUSED and one.span.excerpt().text in self.mentioned)

    def nearest(self, name: str, choices: Collection[str]) -> str | None:
        """Return the choice that was probably meant, or None; None, too, once searching costs too much."""
        return nearest(name, choices) if self._can_search(name, choices) else None

    def suggestion(self, name: str, choices: Collection[str], listed_as: str = "") -> str:
        """Return the help for a wrong name, or ""; "", too, once searching costs too much."""
        return suggestion(name, choices, listed_as) if self._can_search(name, choices) else ""

    def _can_search(self, name: str, choices: Collection[str]) -> bool:
        """Return whether one more search stays within the limit for all of them, and count it."""
        compared = min(MOST_WORK, len(choices) * min(len(name), LONGEST) ** 2)
        self._searched += 8 * len(choices) + compared  # skipping a choice costs something, too
        return self._searched <= MOST_SEARCHED

    def mentions(self, name: str) -> bool:
        """Return whether a fault mentions this name or a similar one."""
        if name in self.mentioned:
            return True
        return any(self.nearest(word, (name,)) for word in self.mentioned)

    def raise_if_any(self) -> None:
        """Raise all diagnostics as one `SpecError`, if there are any."""
        if self.diagnostics:
            raise SpecError(self.diagnostics)


def distinct(diagnostic: Diagnostic) -> str:
    """Return what tells a diagnostic from others with its code at its place, "" if nothing does."""
    is_own = diagnostic.code.startswith("missing-") or diagnostic.code == "over-limit"
    return diagnostic.message if is_own else ""


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics by position; of several with one code at one span only the first, but
    each that reports something missing or a limit."""
    unique: dict[tuple[DiagnosticCode, str, tuple[int, ...], str], Diagnostic] = {}
    for diagnostic in diagnostics:
        file, *place = diagnostic.span
        key = diagnostic.code, file.name, tuple(place), distinct(diagnostic)
        unique.setdefault(key, diagnostic)
    return sorted(unique.values(), key=lambda d: (d.span.file.name, d.span[1:], d.code))
