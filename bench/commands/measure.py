"""The commands that put scenarios to models: `all`, and one for each scenario."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import click
from rich.console import Console

from bench.commands.machines import cluster_options
from bench.commands.options import EXIT_FAILED, mysql_option, workers_option
from bench.commands.results import sound_run
from bench.commands.run import (
    Command,
    carry_out,
    decorated,
    options_of,
    place_of,
    run_options,
    scenario_option,
    seed_option,
    slices_options,
)
from bench.errors import BenchError
from bench.faults.fault import Fault
from bench.faults.known import find_faults
from bench.judging import judge
from bench.measuring.session import Inquiry, Session
from bench.models import Model, available_models, is_only_a_trap, left_out, with_pool, with_workers
from bench.report.terminal.run import summary
from bench.report.terminal.summary import in_terminal
from bench.report.terminal.traps import changed
from bench.results import Run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Scenario
from bench.traps import Trap, find_traps

# Faults and traps are no scenarios, for they have no cells; `all` tries them after the last scenario.
FAULTS_STEP, TRAPS_STEP = "faults", "traps"
EVERYTHING = (*SCENARIOS, FAULTS_STEP, TRAPS_STEP)
# Of the faults, those that a run of everything has time for: what every team does to its servers with every release,
# and what most of its clients' proxies are there for. `python -m bench faults` has them all, and what cures them.
USUAL_FAULTS = ("deploy", "slow-heads")
QUICK_HELP = "A first look: fewer and smaller loads."


def measuring(scenarios: Sequence[Scenario], *, alone: bool = False) -> Callable[[Command], Command]:
    """The options of a command that measures these scenarios; `alone` is one scenario's own command."""
    models = click.option(
        "--models",
        "models",
        metavar="A,B",
        help="Only these, in this order: names, families and quoted wildcards of python -m bench list.",
    )
    own = {option.name: option for scenario in scenarios for option in scenario.options}
    return decorated([
        models,
        *run_options(QUICK_HELP),
        mysql_option,
        *cluster_options(),
        seed_option,
        workers_option,
        *(slices_options() if any(scenario.compared for scenario in scenarios) else []),
        *(scenario_option(option, alone=alone) for option in own.values()),
    ])  # fmt: skip


@click.command("all")
@click.option("--scenarios", "names", metavar="A,B", help=f"Only these: {', '.join(EVERYTHING)}.")
@measuring(list(SCENARIOS.values()))
def all_scenarios(names: str | None, **given: Any) -> None:
    """Run every scenario there is, then two of the faults and the traps.

    With --quick faults and traps are left out unless --scenarios names them.
    """
    usual = list(SCENARIOS) if given["quick"] else EVERYTHING
    wanted = [name.strip() for name in names.split(",")] if names is not None else usual
    for name in wanted:
        if name not in EVERYTHING:
            raise BenchError(f"there is no scenario {name!r}; there are {', '.join(EVERYTHING)}")
    faults = find_faults(USUAL_FAULTS) if FAULTS_STEP in wanted else ()
    traps = find_traps(given["models"]) if TRAPS_STEP in wanted else ()
    chosen = [scenario for scenario in SCENARIOS.values() if scenario.name in wanted]

    def conclude(console: Console, run: Run) -> None:
        summary(console, run, chosen)
        console.print(in_terminal(judge(run).verdict))

    measure("all", chosen, given, conclude, faults, traps, brief=given["models"] is None)


def scenario_command(scenario: Scenario) -> click.Command:
    """A command of its own for a scenario."""

    @click.command(scenario.name, help=scenario.question)
    @measuring([scenario], alone=True)
    def command(**given: Any) -> None:
        measure(scenario.name, [scenario], given, partial(summary, scenarios=[scenario]))

    return command


SCENARIO_COMMANDS = tuple(map(scenario_command, SCENARIOS.values()))


def measure(
    command: str,
    scenarios: Sequence[Scenario],
    given: dict[str, Any],
    conclude: Callable[[Console, Run], None],
    faults: Sequence[Fault] = (),
    traps: Sequence[Trap] = (),
    *,
    brief: bool = False,
    pool: int | None = None,
) -> Run:
    """Put the scenarios to the models; exit with 1 if a cell failed or a trap has changed.

    A brief run inflicts faults on the classic six alone.
    `pool` is how many database connections each server has; None: as many as its model.
    """
    names = given["models"] if given["models"] is not None else "default"
    models = available_models(names)
    if workers := given.get("workers"):
        models = with_workers(models, workers)
    if pool:
        models = with_pool(models, pool)
    session = Session(place_of(given), sound_run)
    named = {"faults": [one.name for one in faults], "traps": [one.name for one in traps]}
    further = {"workers": workers, **{what: names for what, names in named.items() if names}}
    options = options_of(given, scenarios, session.seed, brief=brief)
    inquiry = Inquiry(command, scenarios, models, options, further)
    hit = [model for model in models if not brief or "classic" in model.families]
    run = carry_out(session, inquiry, conclude, faults=faults, hit=hit, traps=traps, notice=left_out(names))
    if has_failed(run, models):
        raise SystemExit(EXIT_FAILED)
    return run


def has_failed(run: Run, models: Iterable[Model]) -> bool:
    """Whether a cell failed whose model is not only there to fail, or a trap no longer behaves as stated."""
    may_fail = {model.name for model in models if is_only_a_trap(model)}
    failed = any(
        cell.judgement.state == "ERRORS" and cell.model not in may_fail for cell in judge(run).cells
    )  # fmt: skip
    return failed or bool(changed(run.traps))
