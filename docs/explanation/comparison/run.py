"""Compare the libraries: make an environment for each, measure there, and write `results.json`.

    python docs/explanation/comparison/run.py --environments /tmp/peers [with_keras ...]

It takes a while and some gigabytes the first time, as each environment has a torch of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from measure import code

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RESULTS = HERE / "results.json"
# what to install; the first is the package that the version is read from
PEERS: dict[str, list[str]] = {
    "by_hand": ["torch", "numpy"],
    "with_mimgraph": ["mimgraph"],
    "with_keras": ["keras>=3", "torch"],
    "with_pytorch_symbolic": ["pytorch-symbolic", "torch", "numpy"],
    "with_tensordict": ["tensordict", "torch"],
    "with_mlnode": ["mlnode"],
    "with_konfai": ["konfai"],
    "with_ludwig": ["ludwig"],
    "with_ultralytics": ["ultralytics"],
}


def python_of(name: str, environments: Path) -> Path:
    """Return the Python of an environment, which is made if it is not there."""
    python = environments.resolve() / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", environments / name], check=True)
        wanted = [f"{ROOT}" if name == "with_mimgraph" else one for one in PEERS[name]]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def measured(name: str, environments: Path) -> dict[str, Any]:
    """Return what is measured of a library, or why nothing could be."""
    python = python_of(name, environments)
    package = PEERS[name][0].partition(">")[0]
    version = f"from importlib.metadata import version; print(version({package!r}))"
    found = subprocess.run([python, "-c", version], capture_output=True, text=True, check=True)
    command = [python, HERE / "measure.py", name]
    with tempfile.TemporaryDirectory() as folder:  # Ludwig leaves a file where it runs
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    facts: dict[str, Any] = {"version": found.stdout.strip()}
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    facts |= json.loads(done.stdout.strip().splitlines()[-1])
    if name == "with_mimgraph":  # whose check builds nothing
        facts["check_seconds"] = check_seconds(python)
    return facts


def check_seconds(python: Path) -> float:
    """Return the seconds of `mimgraph check` on the model, the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "model.yaml"
        spec.write_text("\n".join(code("with_mimgraph", "model")))
        times = []
        for _ in range(5):
            start = perf_counter()
            subprocess.run(
                [python, "-m", "mimgraph", "check", spec], check=True, stdout=subprocess.DEVNULL
            )
            times.append(perf_counter() - start)
    return round(min(times), 2)


def main() -> None:
    """Measure the libraries that are named, all by default, and keep what is known of the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("names", nargs="*", choices=[[], *PEERS])
    args = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in args.names or PEERS:
        results[name] = measured(name, args.environments)
        print(name, json.dumps(results[name], indent=1))
    ordered = {name: results[name] for name in PEERS if name in results}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main()
