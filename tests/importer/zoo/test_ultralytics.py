"""Models of Ultralytics, as the package builds them from its files, are proven."""

from __future__ import annotations

import pytest

import mimgraph as mg

pytestmark = pytest.mark.nightly
ultralytics = pytest.importorskip("ultralytics")  # an extra that only the nightly run installs


@pytest.mark.parametrize("shape", [(3, 64, 96), (3, "32*H", "32*W")], ids=["fixed", "free"])
@pytest.mark.parametrize("name", ["yolov8n", "yolo11n", "yolov5nu"])
def test_proven(name: str, shape: tuple[int | str, ...]) -> None:
    found = mg.from_module(ultralytics.YOLO(f"{name}.yaml").model, {"x": shape})
    assert found.proven and not found.report.remarks, str(found.report)
