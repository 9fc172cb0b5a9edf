"""Load generators for tests that measure on a ground of their own."""

from collections.abc import Callable

import pytest

from bench.load import Generator, LoadJob, LoadResult, StreamJob, StreamResult, run


class OneOff(Generator):
    """Each load has a worker of its own, which ends with it: there is nothing to close."""

    def run(self, job: LoadJob) -> LoadResult:
        return run(job)

    def stream(self, job: StreamJob, mid: Callable[[int], None] | None = None) -> StreamResult:
        with Generator() as generator:
            return generator.stream(job, mid)


class NoLoad(Generator):
    """For what is to be done without any load."""

    def run(self, job: LoadJob) -> LoadResult:
        pytest.fail(f"no load was to be sent: {job}")
