"""The command that measures the bridge against its targets."""

from typing import Any

import click

from bench.commands.machines import cluster_options
from bench.commands.measure import measure
from bench.commands.options import EXIT_FAILED
from bench.commands.run import decorated, run_options, seed_option, slices_options
from bench.judging import judge
from bench.report.terminal.bridge import conclusion
from bench.scenarios.bridge import MEMORY_SCENARIO, MODELS, SCENARIO, all_met

QUICK_HELP = "A first look: three generations of servers."
SCENARIOS = [SCENARIO, MEMORY_SCENARIO]


@click.command("bridge", help=SCENARIO.question + " Its targets, and whether they are met.")
@decorated([*run_options(QUICK_HELP), *cluster_options(), seed_option, *slices_options()])
def bridge(**given: Any) -> None:
    """Measure, print the table, and exit with 1 unless every target is met."""
    run = measure("bridge", SCENARIOS, {**given, "models": ",".join(MODELS)}, conclusion)
    if not all_met(judge(run).cells, run.seed):
        raise SystemExit(EXIT_FAILED)
