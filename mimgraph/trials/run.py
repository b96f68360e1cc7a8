"""Run the trials of a search in worker processes until the study has as many as are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from mimgraph.graph import Graph
from mimgraph.support.progress import Step, progress
from mimgraph.trials.job import Job
from mimgraph.trials.processes import GRACE, Message, Worker
from mimgraph.trials.storage import SearchError, TrialsFail
from mimgraph.trials.study import Counts, DeadTrials, counts, fail

if TYPE_CHECKING:
    from optuna import Study

FIRST = 3  # trials that may fail, unless one before was trained
FIX = "fix the objective, and run the same command again"
LOOK = 1.0  # seconds between two looks for trials without a worker
DEATHS = 3  # workers that may die one after the other
_ASKING = -1  # the trial of a worker that has a permit, until it says which trial began


class Plan(NamedTuple):
    """How many trials a study shall have, and who runs them until when."""

    trials: int
    workers: int = 1
    timeout: float | None = None
    seed: int | None = None


def run(study: Study, job: Job, graph: Graph, plan: Plan) -> list[str]:
    """Run trials until the study has as many as the plan wants; return what was lost, in sentences.

    When the search is interrupted, or cannot go on, the study keeps all trials that ended.
    """
    search = _Search(study, job, graph, plan)
    search.dead.fail()
    with progress("searching", plan.trials) as step:
        search.show(step, search.counts().done)
        with search.workers():
            search.loop(step)
    if search.is_failing and search.counts().done < plan.trials:
        failed = f"{search.ends['failed']} failed trials"
        search.remarks.append(f"the search stopped after {failed}: {FIX}")
    return search.remarks


class _Search:
    """The workers of a search, and what they have reported."""

    def __init__(self, study: Study, job: Job, graph: Graph, plan: Plan) -> None:
        self.study, self.job, self.graph, self.plan = study, job, graph, plan
        self.messages: Queue[Message] = Queue()
        self.crew: list[Worker] = []
        self.ends: Counter[str] = Counter()  # of the trials of this run, by kind
        self.dead = DeadTrials(study)
        self.deaths = 0  # in a row
        self.permits = len(
            study.get_trials(deepcopy=False)
        )  # for the seeds, also of a study that goes on
        self.until = None if plan.timeout is None else monotonic() + plan.timeout
        self.remarks: list[str] = []

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Start as many workers as have something to do, and end them after the `with` block."""
        try:
            wanted = max(0, self.plan.trials - self.counts().done)
            for place in range(min(self.plan.workers, wanted)):
                self.start(place)
            yield
            for worker in self.crew:
                worker.dismiss()
        except KeyboardInterrupt:
            for worker in self.crew:
                worker.interrupt()
            raise
        except BaseException:
            for worker in self.crew:
                worker.process.kill()
            raise
        finally:
            self.end()

    def start(self, place: int) -> None:
        """Start a worker."""
        worker = Worker(place, self.plan.workers, self.job, self.graph)
        self.crew.append(worker)
        worker.talk(self.messages)

    def end(self) -> None:
        """End all workers, and fail the trials that they leave."""
        until = monotonic() + GRACE
        try:
            for worker in self.crew:
                worker.end(max(0.0, until - monotonic()))
        finally:
            for worker in self.crew:
                worker.end(0)  # at once if the user cannot wait
                if worker.trial not in (None, _ASKING):
                    fail(self.study, worker.trial)

    def loop(self, step: Step) -> None:
        """Give permits and take reports until no worker has anything to do."""
        while self.crew:
            self.give()
            if all(worker.is_idle for worker in self.crew) and not self.dead.unsigned:
                return
            try:
                worker, message = self.messages.get(timeout=self.patience())
            except Empty:
                self.dead.fail()
                continue
            if message is None:
                self.bury(worker)
            else:
                self.take(worker, message, step)

    def give(self) -> None:
        """Give a permit to each idle worker for which there is a trial."""
        idle = [worker for worker in self.crew if worker.is_idle]
        for worker in idle[: self.missing()] if idle else []:
            worker.permit(self.seed())
            worker.trial = _ASKING

    def patience(self) -> float | None:
        """Return the seconds to wait for a report; None if nothing else may happen meanwhile."""
        return LOOK if self.dead.unsigned else None

    def missing(self) -> int:
        """Return how many trials may begin now."""
        if self.is_failing or (self.until is not None and monotonic() >= self.until):
            return 0
        found = self.counts()
        asking = sum(worker.trial == _ASKING for worker in self.crew)
        return max(0, self.plan.trials - found.done - found.running - asking)

    @property
    def is_failing(self) -> bool:
        """Whether as many trials failed as were requested; they do not count, so the search would not end."""
        return self.ends["failed"] >= self.plan.trials

    def counts(self) -> Counts:
        """Return how the trials of the study ended, on other machines too."""
        return counts(self.study.get_trials(deepcopy=False))

    def seed(self) -> int | None:
        """Return the seed of the next trial: another for each, also if the study goes on."""
        self.permits += 1
        return (
            None if self.plan.seed is None else (self.plan.seed * 1_000_003 + self.permits) % 2**32
        )

    def take(self, worker: Worker, message: dict[str, Any], step: Step) -> None:
        """Take a report of a worker."""
        if "broken" in message:
            raise SearchError(message["broken"])
        if "began" in message:
            worker.trial = message["began"]
            return
        worker.is_idle, worker.trial = True, None
        if "ended" in message:
            self.deaths = 0
            self.ends[message["kind"]] += 1
            self.show(step, 0 if message["kind"] == "failed" else 1)
            others = self.ends["trained"] + self.ends["pruned"]
            if not others and self.ends["failed"] == min(FIRST, self.plan.trials):
                raise TrialsFail(message["error"], f"every trial failed: {FIX}")

    def show(self, step: Step, count: int) -> None:
        """Move the progress bar."""
        step(count, _detail(self.study, self.counts()))

    def bury(self, worker: Worker) -> None:
        """Fail the trial of a worker that died, and start another in its place."""
        self.crew.remove(worker)
        trial, cause = worker.trial, worker.cause()
        if trial == _ASKING:
            self.dead.fail()  # it may have begun one
        elif trial is not None:
            fail(self.study, trial)
            self.remarks.append(f"trial {trial} was lost with its worker: {cause}")
        self.deaths += 1
        if self.deaths >= DEATHS:
            help = "perhaps the memory is full: use fewer --workers" if "SIGKILL" in cause else ""
            raise TrialsFail(f"{DEATHS} workers died one after the other; the last: {cause}", help)
        self.start(worker.place)


def _detail(study: Study, found: Counts) -> str:
    """Return the text beside the bar: the best value, and how many trials did not come that far."""
    parts = [f"{count} {name}" for name, count in found._asdict().items() if count]
    shown = [part for part in parts if part.endswith(("pruned", "rejected", "failed"))]
    if found.trained and len(study.directions) == 1:
        shown.insert(0, f"best {study.best_value:.5g}")
    return ", ".join(shown)
