"""Keep the newest picture of a spec, and tell those who wait when there is a newer one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from secrets import token_hex
from threading import Condition, Lock
from typing import Any, NamedTuple

from mimgraph.declare.tree import MAX_BYTES
from mimgraph.editor.analysis import Analysis, analyse
from mimgraph.editor.preview.drawn import Drawn, drawn
from mimgraph.language.files import first_place, refuse_foreign
from mimgraph.language.spec_file import UnknownParams
from mimgraph.source import SourceFile


class Event(NamedTuple):
    """What a page is sent: a `name` and JSON data."""

    name: str
    data: dict[str, Any]


class LivePicture:
    """The picture of the spec at a path: of the file, or of the text that an editor shows.

    `view` has the options of `Graph.draw`, `params` those of `mg.load`; `others` are the texts of files that
    an editor shows, by real path, which may be parts. Threads that serve pages wait for
    `events`; of those that draw only one does at a time.
    """

    def __init__(
        self,
        path: str,
        view: Mapping[str, Any],
        params: Mapping[str, Any],
        others: Mapping[str, str] | None = None,
    ) -> None:
        self.path, self.view, self.params, self.others = path, view, params, others or {}
        self.text: str | None = None  # of an editor, which counts more than the file
        self.page = ""  # the last one that could be drawn
        self.newest = Drawn(None, [], {}, "")
        self.files = [path]
        self._session = token_hex(
            4
        )  # tells the versions of this process from others of the same number
        self._drawing, self._changed = Lock(), Condition()
        self._asked, self._done = 0, 0
        self._pictures, self._cursors = 0, 0
        self._at: str | None = None

    def draw(self) -> Drawn:
        """Draw the spec as it is now, and wake all who wait."""
        with self._changed:
            self._asked += 1
            asked = self._asked
        with self._drawing:
            if self._done >= asked:
                return self.newest  # another thread has drawn since we were asked
            self._done = self._asked
            return self._draw()

    def _draw(self) -> Drawn:
        try:
            analysis = self._analyse()
        except (OSError, ValueError) as error:
            found, files = _unreadable(error), {self.path}
        else:
            found, files = drawn(analysis, self.view), {self.path, *_files(analysis)}
        with self._changed:
            self.newest, self.page = found, found.page or self.page
            self.files = sorted(files)
            self._pictures += 1
            self._changed.notify_all()
        return found

    def _analyse(self) -> Analysis:
        """Analyse the text of the editor, or else the file."""
        text = self.text
        if text is None:
            with open(self.path, "rb") as opened:
                data = opened.read(MAX_BYTES + 1)
            refuse_foreign(self.path, data)
            text = data.decode(errors="surrogateescape")
        file, place = SourceFile(self.path, text), first_place(self.path, self.others)
        analysis = analyse(file, place, params=self.params)
        declared = analysis.declared
        if declared is not None and (unknown := [*self.params.keys() - declared.params.keys()]):
            raise UnknownParams(unknown, declared)
        return analysis

    def show_text(self, text: str | None) -> None:
        """Show a text in place of the file's, or the file again."""
        self.text = text
        self.draw()

    def show_cursor(self, file: str, line: int) -> None:
        """Show on all pages the node at which the cursor of an editor is."""
        with self._changed:
            id_ = self.newest.node_at(file, line)
            if id_ is None or id_ == self._at:
                return
            self._at = id_
            self._cursors += 1
            self._changed.notify_all()

    def events(self, heartbeat: float) -> Iterator[Event | None]:
        """Yield what a page is to show, without end: first the newest picture, then each newer one and
        each place of the cursor; None after `heartbeat` seconds without news."""
        pictures, cursors = 0, self._cursors
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: (self._pictures, self._cursors) != (pictures, cursors),  # noqa: B023
                    heartbeat,
                )
                news = [*self._news(pictures, cursors)]
                pictures, cursors = self._pictures, self._cursors
            if news:
                yield from news
            else:
                yield None

    def _news(self, pictures: int, cursors: int) -> Iterator[Event]:
        if self._pictures != pictures:
            found = self.newest
            yield Event(
                "picture",
                {
                    "version": f"{self._session}.{self._pictures}",
                    "file": os.path.basename(self.path),
                    "is_drawn": found.page is not None,
                    "summary": found.summary,
                    "faults": found.faults,
                },
            )
        if self._cursors != cursors:
            yield Event("cursor", {"node": self._at})


def _files(analysis: Analysis) -> Iterator[str]:
    """Yield the files of the parts of a spec, also of parts with faults."""
    if analysis.declared is not None:
        yield from analysis.declared.part_files
    yield from (one.span.file.name for one in analysis.diagnostics)


def _unreadable(error: OSError | ValueError) -> Drawn:
    """Return a version of which nothing is known, as the file cannot be read."""
    message = str(error)
    if isinstance(error, OSError):
        message = f"the file cannot be read: {error.strerror or error}"
    return Drawn(None, [{"severity": "error", "message": message}], {}, "")
