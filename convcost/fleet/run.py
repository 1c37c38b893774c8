"""A fleet from its sources to its report: what is already there, what is to be counted, and the table of all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec

from convcost import record
from convcost.api.models import report
from convcost.api.result import Report
from convcost.api.sources import Options, options_from
from convcost.errors import FleetError, UsageError
from convcost.fleet import pool
from convcost.fleet.child import Setup
from convcost.fleet.finding import find
from convcost.fleet.ledger import Ledger
from convcost.fleet.lines import SAME, Head, failure_line, fingerprint, head_of, shown
from convcost.fleet.pool import LOST, Answers, Task
from convcost.version import __version__

Progress = Callable[[int, int, int], None]
"""Told how many models are done, how many there are, how many failed."""

TIME_LIMIT = 300.0
"""Seconds for one model, unless told otherwise."""


def fleet(
    *sources: str,
    jobs: int | None = None,
    time_limit: float = TIME_LIMIT,
    max_memory: int | None = None,
    output: str | None = None,
    resume: bool = False,
    scheduler: str | None = None,
    progress: Progress | None = None,
    **options: object,
) -> Report:
    """What each of many models costs, in one table: `report.fleet` has an entry a model, without its layers.

    `sources` are folders, `.onnx` files and patterns. `jobs` processes share the work (default: one a core), or the
    workers of the Dask cluster at `scheduler`. A model that is wrong, takes longer than `time_limit` seconds, needs
    more than `max_memory` bytes of address space, or kills its process is a failed entry, and the others are counted.

    `output` is the path of a JSON Lines file, a whole report with all layers for each model; with `resume` models that
    it has already, under the same options, are not counted again unless their content has changed. `progress` is
    called with (done, all, failed). Other options: the fields of `Options`.

    Raises UsageError, ReportError, or FleetError when no process or cluster is to be had.
    """
    opts = options_from({**options, "hash": True})
    if time_limit <= 0:
        raise UsageError(f"the time limit must be more than 0 s, not {time_limit:g}")
    if jobs is not None and jobs < 1:
        raise UsageError(f"there must be at least 1 process, not {jobs}")
    if resume and output is None:
        raise UsageError("resume needs the file to go on with, as in -o fleet.jsonl")
    setup = Setup(options=opts, time_limit=time_limit, max_memory=max_memory)
    run = Run(find(sources), setup, progress)
    with contextlib.nullcontext() if output is None else Ledger(output, run.paths, resume=resume) as ledger:
        run.count(ledger, scheduler, jobs or pool.cores())
    return run.report()


class Run:
    """One fleet on its way. Of finished models only the heads of their lines are kept."""

    def __init__(self, paths: Sequence[str], setup: Setup, progress: Progress | None) -> None:
        self.paths = paths
        self.setup = setup
        self.progress = progress
        self.heads: dict[int, Head] = {}
        self.failed = 0

    def count(self, ledger: Ledger | None, scheduler: str | None, jobs: int) -> None:
        """Count all models, and put the file in order."""
        there = self.there(ledger)
        tasks = [Task(i, path, there[i].entry.sha256 if i in there else None) for i, path in enumerate(self.paths)]
        self.tell()
        with contextlib.closing(answers(scheduler, self.setup, tasks, jobs)) as lines:
            for task, line in lines:
                self.add(task.index, there[task.index] if line == SAME else self.take(task, line, ledger))
                if line == SAME and ledger is not None:
                    ledger.keep(task.index, shown(task.path))
        if ledger is not None:
            ledger.finish()

    def take(self, task: Task, line: bytes, ledger: Ledger | None) -> Head:
        """A new line, into the file."""
        line, head = checked(line, task, self.setup.options)
        if ledger is not None:
            ledger.append(task.index, line)
        return head

    def there(self, ledger: Ledger | None) -> dict[int, Head]:
        """Heads of the lines that a file has already. What a process died of is tried again."""
        if ledger is None:
            return {}
        options = fingerprint(self.setup.options)
        found = {i: ledger.finished(shown(path), options) for i, path in enumerate(self.paths)}
        return {i: head for i, head in found.items() if head is not None and not lost(head)}

    def add(self, index: int, head: Head) -> None:
        """One model is done."""
        self.heads[index] = head
        self.failed += head.entry.status == "failed"
        self.tell()

    def tell(self) -> None:
        """Report the progress."""
        if self.progress is not None:
            self.progress(len(self.heads), len(self.paths), self.failed)

    def report(self) -> Report:
        """The table of all models, in their order."""
        heads = [self.heads[i] for i in range(len(self.paths))]
        entries = [head.entry for head in heads]
        errors = [head.error for head in heads if head.error is not None]
        whole = record.Fleet(counted=len(heads) - self.failed, failed=self.failed, entries=entries)
        return msgspec.structs.replace(report("fleet", [], diagnostics=errors), fleet=whole)


def answers(scheduler: str | None, setup: Setup, tasks: Sequence[Task], jobs: int) -> Answers:
    """(task, its line), from this machine or from a cluster."""
    if scheduler is None:
        return pool.run(setup, tasks, jobs)
    from convcost.fleet import cluster  # noqa: PLC0415 - Dask is an extra, and slow to load

    return cluster.run(scheduler, setup, tasks)


def checked(line: bytes, task: Task, opts: Options) -> tuple[bytes, Head]:
    """A line and its head; what is no line, or another version's, becomes a failure."""
    try:
        head = head_of(line)
    except (msgspec.MsgspecError, ValueError):
        wrong = FleetError("the process that counted it gave no report", code="C604")
    else:
        if head.tool.version == __version__:
            return line, head
        wrong = FleetError(f"counted by convcost {head.tool.version}, here is {__version__}", code="C605")
    line = failure_line(task.path, wrong, opts)
    return line, head_of(line)


def lost(head: Head) -> bool:
    """Whether a process was lost over a model."""
    return head.error is not None and head.error.code in LOST | {"C603", "C605"}
