"""Coverage-guided fuzzing of one target: `python -m tests.fuzz einsum -max_total_time=60`.

Options after the name are passed to libFuzzer. It needs atheris. It stops at the first text that does
not come to a legal end, and saves it to a file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["mimgraph"]):
    from tests.fuzz.targets import TARGETS


def main(name: str, *options: str) -> None:
    """Fuzz the target, starting from its seeds."""
    target = TARGETS[name]
    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, str(number)).write_text(seed)
        atheris.Setup(
            [name, corpus, *options],
            lambda data: target.run(data.decode(errors="surrogateescape")),
        )
        atheris.Fuzz()


main(*sys.argv[1:])
