"""The command that takes the cost of a request apart."""

from functools import partial
from typing import Any

import click

from bench.commands.machines import cluster_options
from bench.commands.measure import measure
from bench.commands.options import EXIT_FAILED
from bench.commands.run import decorated, run_options, seed_option, slices_options
from bench.judging import judge
from bench.report.terminal.run import summary
from bench.scenarios.bridge import MEMORY_SCENARIO
from bench.scenarios.layers import MODELS, POOL, SCENARIO, adds_up

QUICK_HELP = "A first look: three generations of servers."
SCENARIOS = [SCENARIO, MEMORY_SCENARIO]


@click.command("layers", help=SCENARIO.question + " And what one more wait costs. Exit code 1 if it does not add up.")
@decorated([*run_options(QUICK_HELP), *cluster_options(), seed_option, *slices_options(at_once=False)])
def layers(**given: Any) -> None:
    """Measure with all servers up at once, print the layers, and exit with 1 unless they add up to the whole."""
    given |= {"models": ",".join(MODELS), "servers_at_once": len(MODELS)}
    run = measure("layers", SCENARIOS, given, partial(summary, scenarios=SCENARIOS), pool=POOL)
    if not adds_up(judge(run)):
        raise SystemExit(EXIT_FAILED)
