"""Write a figure as a vector PDF with its fonts embedded, so that its text can be selected and printed."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from mimgraph.picture.figure import figure
from mimgraph.picture.geometry import THIN, Path, Rect, Shape, Style, Text
from mimgraph.picture.scene import Scene
from mimgraph.picture.text_metrics import FILES, Face, missing, plain

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

UNKNOWN = "□"  # shown for characters that the fonts lack
MOST_POINTS = 14_400  # along one side; a larger picture is shrunk, because readers refuse it


def render(scene: Scene) -> bytes:
    """Return the scene as a PDF file of one page; equal scenes give equal bytes."""
    # imported here, so that commands that draw nothing start fast
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    for face, file in FILES.items():
        pdfmetrics.registerFont(TTFont(_name(face), file))
    picture = figure(scene)
    scale = min(1.0, MOST_POINTS / max(picture.width, picture.height))
    picture.warn_if_small(scale)
    written = BytesIO()
    page = Canvas(
        written,
        pagesize=(picture.width * scale, picture.height * scale),
        initialFontName=_name("sans"),  # type: ignore[arg-type]  # the stubs are wrong
        invariant=1,  # without a date
        lang="en",
    )
    page.setTitle(plain(picture.name))
    page.setSubject(plain(picture.description))
    page.setAuthor("")
    page.setCreator("mimgraph")
    page.scale(scale, scale)
    page.setFillColor(picture.page)
    page.rect(0, 0, picture.width, picture.height, stroke=0, fill=1)
    page.transform(1, 0, 0, -1, 0, picture.height)  # y grows downwards, as in a figure
    for group in picture.groups:
        for shape in group.shapes:
            _paint(page, shape)
    page.save()
    return written.getvalue()


def _name(face: Face) -> str:
    return f"mimgraph-{face}"


def _paint(page: Canvas, shape: Shape) -> None:
    """Draw a shape on the page."""
    match shape:
        case Text():
            _write(page, shape)
        case Rect(place, radius, style):
            page.roundRect(*place, radius, **_brushes(page, style))
        case Path(start, steps, closed, style):
            path = page.beginPath()
            path.moveTo(*start)
            for step in steps:
                numbers = [number for point in step for number in point]
                path.lineTo(*numbers) if len(step) == 1 else path.curveTo(*numbers)
            if closed:
                path.close()
            page.drawPath(path, **_brushes(page, style))


def _brushes(page: Canvas, style: Style) -> dict[str, int]:
    """Set the colours, and return whether a shape is stroked and filled."""
    if style.line:
        page.setStrokeColor(style.line)
        page.setLineWidth(style.width)
        page.setDash(list(style.dashes or ()))
    if style.fill:
        page.setFillColor(style.fill)
    return {"stroke": int(bool(style.line)), "fill": int(bool(style.fill))}


def _write(page: Canvas, shape: Text) -> None:
    """Write a line of text on the page."""
    x = shape.x - (shape.line.width / 2 if shape.anchor == "middle" else 0)
    page.saveState()
    page.transform(1, 0, 0, -1, x, shape.y)  # else letters would be upside down
    letters = page.beginText(0, 0)
    for run, color in zip(shape.line.runs, shape.colors, strict=True):
        letters.setFont(_name(run.face), shape.line.size)
        letters.setFillColor(color)
        replaced = dict.fromkeys(map(ord, missing(run.text, run.face)), UNKNOWN)
        letters.textOut(run.text.translate(replaced))
    page.drawText(letters)
    if shape.struck:
        page.setStrokeColor(shape.colors[0])
        page.setLineWidth(THIN)
        page.setDash([])
        page.line(0, shape.line.size / 3, shape.line.width, shape.line.size / 3)
    page.restoreState()
