"""Read a YAML or JSON file of another tool as plain data with a span for every part; never run a tag."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from mimgraph.diagnostics import Diagnostic, SpecError
from mimgraph.diagnostics.codes import DiagnosticCode
from mimgraph.source import SourceFile, Span

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 1 << 22
MAX_DEPTH = 64
KINDS = ("null", "bool", "int", "float")  # all other scalars are texts, as a date or a time


class Located(NamedTuple):
    """A value, which is a scalar, a tuple of `Located` or a dict of them by key, and its span."""

    value: Any
    span: Span

    def plain(self) -> Any:
        """Return the value without spans: scalars, lists and dicts."""
        match self.value:
            case tuple() as items:
                return [item.plain() for item in items]
            case dict() as entries:
                return {key: item.plain() for key, item in entries.items()}
        return self.value

    def get(self, key: str) -> Located | None:
        """Return the value of a key of a mapping, or None if the mapping lacks it."""
        found: Located | None = self.value.get(key)
        return found

    def need(self, key: str, kind: type | tuple[type, ...], what: str) -> Located:
        """Return the value of a key that must be there and be of a kind, `what` in words."""
        found = self.get(key)
        if found is None:
            refuse("missing-key", f"{key} is missing, which is {what}", self.span)
        return found.of(kind, f"{key} must be {what}")

    def of(self, kind: type | tuple[type, ...], message: str) -> Located:
        """Return the value itself, refused if it is not of a kind; a bool is no number."""
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(self.value, kinds) or (
            isinstance(self.value, bool) and bool not in kinds
        ):
            refuse("wrong-type", message, self.span)
        return self

    @property
    def items(self) -> tuple[Located, ...]:
        """The items of a list."""
        found: tuple[Located, ...] = self.value
        return found


def refuse(code: DiagnosticCode, message: str, span: Span, help: str = "") -> NoReturn:
    """Raise the `SpecError` of one fault."""
    raise SpecError([Diagnostic(code, message, span, help=help)])


def read_file(path: str | Path) -> Located:
    """Return the data of a YAML or JSON file."""
    with Path(path).open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    return read_text(SourceFile(str(path), data.decode(errors="replace")))


def read_text(file: SourceFile) -> Located:
    """Return the data of a text, which is YAML as PyYAML's safe loader reads it, or JSON.

    Anchors, aliases, tags and keys that are no texts are refused, and so is a text that is too large.
    """
    import yaml

    if len(file.text) > MAX_BYTES:
        refuse("too-large", f"the text has more than {MAX_BYTES:,} bytes", file.start)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _tree(file, yaml.parse(file.text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        span = _point(file, mark) if mark else file.start
        refuse("yaml-syntax", error.problem or "the text is not YAML", span)
    except yaml.reader.ReaderError as error:
        refuse("yaml-syntax", f"this is not a text: {error.reason}", file.start)


def _tree(file: SourceFile, events: Iterator[yaml.Event]) -> Located:
    """Return the data of YAML's events; they nest, so the open collections are on a stack."""
    import yaml

    scalars = _Scalars()
    stack: list[tuple[yaml.Event, list[Located]]] = []
    items: list[Located] = []
    for event in events:
        span = Span(file, *_position(event.start_mark), *_position(event.end_mark))
        match event:
            case yaml.AliasEvent():
                refuse("yaml-subset", "an alias is not read", span, "write the value out")
            case yaml.ScalarEvent() | yaml.CollectionStartEvent() if event.anchor or (
                event.tag and event.tag != "!"
            ):
                word = "an anchor" if event.anchor else "a tag"
                refuse("yaml-subset", f"{word} is not read", span, "write the value out")
            case yaml.ScalarEvent():
                items.append(Located(scalars.value(event, span), span))
            case yaml.CollectionStartEvent():
                if len(stack) == MAX_DEPTH:
                    refuse("too-large", f"nested more than {MAX_DEPTH} levels deep", span)
                stack.append((event, items))
                items = []
            case yaml.CollectionEndEvent():
                start, outer = stack.pop()
                whole = Span(file, *_position(start.start_mark), span.end_line, span.end_column)
                is_mapping = isinstance(start, yaml.MappingStartEvent)
                value = _mapping(items) if is_mapping else tuple(items)
                outer.append(Located(value, whole))
                items = outer
    if len(items) > 1:
        refuse("yaml-subset", "a second document is not read", items[1].span)
    return items[0] if items else Located(None, file.start)


def _mapping(items: list[Located]) -> dict[str, Located]:
    """Return the mapping of keys and values in turn."""
    entries: dict[str, Located] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key.value, (str, int)):
            refuse("yaml-subset", "a key must be a text", key.span)
        name = str(key.value)
        if name in entries:
            refuse("duplicate-key", f"{name} is given twice", key.span)
        entries[name] = value
    return entries


class _Scalars:
    """Scalars as PyYAML's safe loader reads them, but for dates, which stay texts."""

    def __init__(self) -> None:
        import yaml

        self._node = yaml.ScalarNode
        self._resolver: Any = yaml.resolver.Resolver()
        self._constructor = yaml.constructor.SafeConstructor()

    def value(self, event: yaml.ScalarEvent, span: Span) -> Any:
        """Return the value of a scalar."""
        tag = self._resolver.resolve(self._node, event.value, event.implicit)
        if tag.rpartition(":")[2] not in KINDS:
            return event.value
        if len(event.value) > 32:
            refuse("too-large", "a number must fit in 64 bits", span)
        try:
            return self._constructor.construct_object(self._node(tag, event.value))
        except ValueError:
            return event.value


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _point(file: SourceFile, mark: Any) -> Span:
    line, column = _position(mark)
    return Span(file, line, column, line, column + 1)
