"""Turn measured lines of text into the data of a page."""

from __future__ import annotations

from typing import Any

from mimgraph.picture.text_metrics import Line


def line_data(row: Line) -> dict[str, Any]:
    """Return a line with its width; each run has its face and tone as classes of the page's style."""
    runs = [[run.text, f"{run.face} {run.tone}"] for run in row.runs]
    return {"size": row.size, "width": round(row.width, 2), "runs": runs}
