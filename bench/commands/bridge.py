"""The command that measures the bridge against its targets."""

from functools import partial
from typing import Any

import click

from bench.commands.measure import measure
from bench.commands.options import EXIT_FAILED
from bench.commands.run import decorated, rounds_options, run_options, seed_option
from bench.judging import judge
from bench.judging.statistics import MIN_ROUNDS
from bench.report.terminal.run import summary
from bench.scenarios.bridge import MODELS, SCENARIO, all_met

QUICK_HELP = "A first look: two short rounds."


@click.command("bridge", help=SCENARIO.question + " Its targets, and whether they are met.")
@decorated([*run_options(QUICK_HELP), seed_option, *rounds_options(MIN_ROUNDS, fewest=2)])
def bridge(**given: Any) -> None:
    """Measure, print the table, and exit with 1 unless every target is met."""
    run = measure("bridge", [SCENARIO], {**given, "models": ",".join(MODELS)}, partial(summary, scenarios=[SCENARIO]))
    if not all_met(judge(run).cells, run.seed):
        raise SystemExit(EXIT_FAILED)
