"""Write the files of a project into a new folder, all of them or none."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath

from mimgraph.graph import Graph
from mimgraph.project.check_script import check_script
from mimgraph.project.plan import Plan
from mimgraph.project.train_script import train_script


def project_files(plan: Plan, spec: str) -> dict[str, str]:
    """Return the texts of the files that every project has, by their paths in its folder."""
    module = plan.module
    return {
        f"{module}.yaml": spec,
        "train.py": train_script(plan),
        f"test_{module}.py": check_script(plan),
    }


def part_files(graph: Graph, spec: Path) -> dict[str, str]:
    """Return the texts of the parts of a spec by their paths in its folder."""
    return {
        PurePath(os.path.relpath(file, spec.parent)).as_posix(): Path(file).read_text("utf-8")
        for file in graph.declared.part_files
    }


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder that does not exist yet; an `OSError` leaves none."""
    beside = folder.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        for name, text in files.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        beside.rename(folder)
    except OSError as error:  # nobody knows the folder beside
        raise OSError(error.errno, error.strerror, str(folder)) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
