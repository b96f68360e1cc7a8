"""Several workers share the trials of a study; one that is killed loses one trial, and Ctrl-C none that
ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.trials.conftest import begin, search, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs signals"),
]


def running(folder: Path, place: int = 0) -> list[int]:
    """Return the number of the trial that a worker runs, and its process; an empty list if none is known."""
    file = folder / f"running_{place}"
    return [*map(int, file.read_text().split())] if file.exists() else []


def numbers(found: dict[str, Any], kind: str) -> list[int]:
    return [one["number"] for one in found["trials"] if one["kind"] == kind]


def test_two_workers_do_exactly_the_trials(folder: Path) -> None:
    words = ("--objective", "train.py:objective", "--workers", "2", "--sampler", "random")
    found = search(*words, "--trials", "11")
    counts = found["counts"]
    assert counts["trained"] + counts["rejected"] == 11 == len(found["trials"])


def test_a_killed_worker_loses_one_trial(folder: Path) -> None:
    words = ("--objective", "train.py:slow", "--workers", "2", "--trials", "8", "--seed", "2")
    with begin(*words) as process:
        trial, number = wait_for(lambda: running(folder))
        (folder / "running_0").unlink()
        os.kill(number, signal.SIGKILL)
        again, other = wait_for(lambda: running(folder))  # a new worker in its place
        (folder / "fast").touch()
        assert (again != trial, other != number) == (True, True)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert f"trial {trial} was lost with its worker: it was ended by SIGKILL" in told
    found = search(*words)
    assert found["counts"]["running"] == 0 and trial in numbers(found, "lost")
    assert sum(found["counts"][kind] for kind in ("trained", "rejected")) == 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_workers_and_the_study_goes_on(
    number: signal.Signals, folder: Path
) -> None:
    words = ("--objective", "train.py:slow", "--workers", "2", "--trials", "3", "--seed", "0")
    with begin(*words) as process:
        processes = [wait_for(lambda place=place: running(folder, place))[1] for place in (0, 1)]
        os.killpg(process.pid, number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on with the study" in told
    assert "Traceback" not in told
    for worker in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
    (folder / "fast").touch()
    found = search(*words)
    assert found["counts"]["lost"] == 2 and found["counts"]["running"] == 0
    assert len(found["trials"]) == 3 + 2


def test_trials_of_a_killed_command_are_done_again(folder: Path) -> None:
    words = ("--objective", "train.py:slow", "--trials", "2", "--seed", "3")
    with begin(*words) as process:
        trial, number = wait_for(lambda: running(folder))
        process.kill()
        os.kill(number, signal.SIGKILL)
    (folder / "fast").touch()
    found = search(*words)
    assert trial in numbers(found, "lost") and found["counts"]["running"] == 0
    assert len(found["trials"]) == 2 + len(numbers(found, "lost"))


def test_a_worker_ends_its_trial_after_its_command_was_killed(folder: Path) -> None:
    words = ("--objective", "train.py:slow", "--trials", "2", "--seed", "3")
    with begin(*words) as process:
        trial, number = wait_for(lambda: running(folder))
        process.kill()
    (folder / "fast").touch()
    wait_for(lambda: not _lives(number))
    assert trial in numbers(search(*words), "trained")


def _lives(number: int) -> bool:
    """Return whether a process runs; a zombie that nobody waits for does not."""
    try:
        return ") Z" not in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False


def test_no_trial_begins_after_the_timeout(folder: Path) -> None:
    (folder / "fast").touch()
    words = ("--objective", "train.py:slow", "--seed", "3")
    before = search(*words, "--trials", "1")
    assert search(*words, "--timeout", "0.001") == before


def test_cores_are_shared_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import os\n\ndef threads(trial):\n    return float(os.environ['OMP_NUM_THREADS'])\n"
    (folder / "env.py").write_text(text)
    words = ("--objective", "env.py:threads", "--workers", "2", "--trials", "1")
    monkeypatch.delenv("OMP_NUM_THREADS")
    found = search(*words)
    assert found["trials"][0]["values"] == [max(1, len(os.sched_getaffinity(0)) // 2)]
