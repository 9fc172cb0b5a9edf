"""The commands that measure: `all`, and one for each scenario."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from bench.commands.options import EXIT_FAILED, Real, database_option, mysql_option, workers_option
from bench.commands.traps import TRAP_S, teller
from bench.errors import BenchError
from bench.load import Generator
from bench.measuring.calibrate import calibrate
from bench.measuring.environment import environment
from bench.measuring.plan import make_plan
from bench.measuring.run import execute
from bench.measuring.subjects import model_facts, questions
from bench.models import available_models, is_only_a_trap, left_out, with_workers
from bench.report.page.page import write_page
from bench.report.terminal.progress import StepProgress
from bench.report.terminal.run import RunReport, summary
from bench.report.terminal.summary import in_terminal, verdict
from bench.report.terminal.traps import changed
from bench.results import Run, check_same, load_run, new_run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options, Scenario
from bench.scenarios.classic import REQUESTS_2013, SECONDS_2013
from bench.testbed.databases.database import PRODUCTS
from bench.testbed.testbed import open_testbed
from bench.traps import Trap, find_traps, try_all

# What `--quick` changes; whatever else is given on the command line stays.
QUICK = {"rounds": 2, "duration_s": 0.3, "classic_seconds": 0.3}

# A scenario has cells, and the traps have none: they are tried after the last scenario.
TRAPS_STEP = "traps"
EVERYTHING = (*SCENARIOS, TRAPS_STEP)


def measuring(defaults: Options, names: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of a command that measures these scenarios."""
    options = [
        click.option("--models", "models", metavar="A,B",
                     help="Only these, in this order: names, families and quoted wildcards of python -m bench list."),
        click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
                     help="Where results.json goes.  [default: results/<UTC time>/]"),
        click.option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                     help="Go on with the run in DIR, with the same options, where it stopped."),
        click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="For the order of rounds and for arrivals."),
        workers_option,
        database_option,
        mysql_option,
    ]  # fmt: skip
    if any(SCENARIOS[name].compared for name in names):
        options += [
            click.option("--rounds", type=click.IntRange(1, 100), default=defaults.rounds, show_default=True,
                         help="How often each model is measured, on a fresh server each time."),
            click.option("--quick", is_flag=True, help="A first look: two short rounds, figures and no winner."),
            click.option("--duration", "duration_s", type=Real(0.1, 600), default=defaults.duration_s,
                         show_default=True, help="Seconds that each load is measured."),
            click.option("--connections", type=click.IntRange(1, 5000), default=defaults.connections,
                         show_default=True, help="Of a closed loop."),
        ]  # fmt: skip
    if "latency" in names:
        options.append(
            click.option("--slo-ms", type=Real(1, 60_000), default=defaults.slo_s * 1e3, show_default=True,
                         help="What p99 must stay below for a rate to count as kept.")
        )  # fmt: skip
    if "classic" in names:
        options += [
            click.option("--seconds", "classic_seconds", type=Real(0, 60, min_open=True),
                         default=defaults.classic_seconds, show_default=True,
                         help="How long each request of the classic sleeps."),
            click.option("--requests", "classic_requests", type=click.IntRange(1, 500), default=REQUESTS_2013,
                         show_default=True, help="How many requests the classic sends at once."),
        ]  # fmt: skip

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


@click.command("all")
@click.option("--scenarios", "names", metavar="A,B", help=f"Only these: {', '.join(EVERYTHING)}.")
@measuring(Options(), list(SCENARIOS))
def all_scenarios(names: str | None, **given: Any) -> None:
    """Run every scenario there is, then the traps.

    With --quick the traps are left out unless --scenarios names them.
    """
    usual = list(SCENARIOS) if given["quick"] else EVERYTHING
    wanted = [name.strip() for name in names.split(",")] if names is not None else usual
    for name in wanted:
        if name not in EVERYTHING:
            raise BenchError(f"there is no scenario {name!r}; there are {', '.join(EVERYTHING)}")
    traps = find_traps(given["models"]) if TRAPS_STEP in wanted else ()
    measure("all", [scenario for scenario in SCENARIOS.values() if scenario.name in wanted], given, traps=traps)


def scenario_command(scenario: Scenario) -> click.Command:
    """A command of its own for a scenario; the classic keeps the original's five seconds there."""

    @click.command(scenario.name, help=scenario.question)
    @measuring(Options(classic_seconds=SECONDS_2013), [scenario.name])
    def command(**given: Any) -> None:
        measure(scenario.name, [scenario], given)

    return command


def measure(
    command: str,
    scenarios: Sequence[Scenario],
    given: dict[str, Any],
    conclude: Callable[[Console, Run, Options], None] = summary,
    traps: Sequence[Trap] = (),
) -> Run:
    """Plan, run, and print the conclusion; exit with 1 if a cell failed."""
    console = Console(highlight=False)
    names = given["models"] if given["models"] is not None else "default"
    models = available_models(names)
    if workers := given.get("workers"):
        models = with_workers(models, workers)
    resumed = load_run(given["resume"]) if given["resume"] else None
    options = options_from(
        given,
        seed=resumed.seed if resumed else secrets.randbits(32),
        brief=command == "all" and given["models"] is None,
    )
    arguments = {
        "command": command,
        "scenarios": [scenario.name for scenario in scenarios],
        "models": [model.name for model in models],
        "workers": workers,
        "options": asdict(options),
        **({"traps": [trap.name for trap in traps]} if traps else {}),
    }
    plan = make_plan(scenarios, models, options)
    if not plan and not traps:
        raise BenchError(f"{command} has no question to {', '.join(model.name for model in models)}; name others")
    run = started(given, resumed, arguments, options)
    if missing := left_out(names):
        console.print(missing, soft_wrap=True)
    try:
        with (
            StepProgress(console) as progress,
            open_testbed(
                given["database_url"], run.folder / "logs", mysql_url=given["mysql_url"], models=models
            ) as ready,
            Generator() as generator,
        ):
            run.environment = {**run.environment, **ready.versions()}
            run.scenarios, run.models = questions(scenarios, options), model_facts(models)
            if run.calibration is None and any(scenario.name != "classic" for scenario in scenarios):
                run.calibration = asdict(calibrate(generator=generator, wrk=None))
            execute(plan, ready, options, run, generator, RunReport(console, progress, plan, options))
            try_all(traps, ready, generator, run, teller(progress, traps, TRAP_S), cures=False)
    finally:
        if run.cells or run.traps:
            conclude(console, run, options)
            if command == "all":
                console.print(in_terminal(verdict(run)))
            click.echo(str(write_page(run)))
            click.echo(str(run.path))
    may_fail = {model.name for model in models if is_only_a_trap(model)}
    failed = [cell for cell in run.cells.values() if cell.judgement.state == "ERRORS" and cell.model not in may_fail]
    if failed or changed(run.traps):
        raise SystemExit(EXIT_FAILED)
    return run


def options_from(given: Mapping[str, Any], seed: int, brief: bool) -> Options:
    """The options that the command has; defaults for those it has not, and quick ones where they were not chosen."""
    context = click.get_current_context()
    chosen = {name for name in QUICK if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    named = {name: value for name, value in given.items() if name in Options.__dataclass_fields__ and value is not None}
    if given.get("quick"):
        named |= QUICK | {name: named[name] for name in QUICK if name in chosen}
    if "slo_ms" in given:
        named["slo_s"] = given["slo_ms"] / 1e3
    return Options(**{"seed": seed, "brief": brief, **named})


def started(given: Mapping[str, Any], resumed: Run | None, arguments: dict[str, Any], options: Options) -> Run:
    """A new run, or the one to go on with if nothing has changed since."""
    facts = environment()
    if resumed is None:
        return new_run(given["out"], facts, arguments, options.seed)
    if given["out"]:
        raise BenchError("--resume goes on in its own folder; leave out --out")
    databases = {name: found for name, found in resumed.environment.items() if name in PRODUCTS}
    check_same(resumed, {**facts, **databases}, arguments)
    return resumed
