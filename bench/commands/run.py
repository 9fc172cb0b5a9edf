"""What do all commands that measure have in common? The options of a run, what becomes of them, and how a run ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from bench.commands.machines import address_of
from bench.commands.options import Real, database_option, generators_option
from bench.faults.fault import Fault
from bench.faults.running import try_faults
from bench.measuring.session import Inquiry, Place, Session, Workbench
from bench.models import Model
from bench.report.page.page import write_page
from bench.report.terminal.run import RunReport
from bench.results import Run
from bench.results.resume import command_line
from bench.scenarios.base import Options, Scenario
from bench.scenarios.options import Option
from bench.traps import Trap, try_all

# What `--quick` makes of a run, beside what it makes of each scenario's own options.
QUICK = {"generations": 3, "cycles": 10, "budget_s": 0.0}

Command = Callable[..., Any]
FOLDER = click.Path(file_okay=False, path_type=Path)


def decorated(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """A decorator that adds these options, in their order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def run_options(quick: str) -> list[Callable[[Command], Command]]:
    """The options that every run has; `quick` says what `--quick` does in this command."""
    return [
        click.option("--out", type=FOLDER, metavar="DIR",
                     help="Where results.json goes.  [default: results/<UTC time>/]"),
        click.option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                     help="Go on with the run in DIR, with the same options, where it stopped."),
        click.option("--quick", is_flag=True, help=quick),
        generators_option,
        database_option,
    ]  # fmt: skip


def slices_options(*, at_once: bool = True) -> list[Callable[[Command], Command]]:
    """The options of a command that loads servers in slices; `at_once`: it may have them in groups."""
    groups = click.option(
        "--servers-at-once", type=click.IntRange(3, 100), default=Options.servers_at_once, show_default=True,
        help="The most servers that are up together; each holds 40 to 100 MB and its pool of database connections. "
        "More models are measured in groups, with gevent (or the first) in each.",
    )  # fmt: skip
    return [
        click.option("--budget-s", type=Real(0, 86_400), default=Options.budget_s, show_default=True,
                     help="Seconds for all generations of servers. The first three are measured in any case, further "
                     "ones while there is time and an interval is still wide."),
        click.option("--generations", type=click.IntRange(1, 1_000), default=Options.generations, show_default=True,
                     help="The most generations of fresh servers; there are fewer if every interval is narrow before."),
        click.option("--cycles", type=click.IntRange(1, 1_000), default=Options.cycles, show_default=True,
                     help="Slices of load that each server of a generation gets with each workload."),
        click.option("--slice-s", type=Real(0.01, 60), default=Options.slice_s, show_default=True,
                     help="Seconds of load in a slice of a closed loop; slices of an open loop take 0.5 s or 1 s."),
        click.option("--lead-in-s", type=Real(0, 1), default=Options.lead_in_s, show_default=True,
                     help="Seconds of load before each slice that are not counted."),
        *([groups] if at_once else []),
    ]  # fmt: skip


def seed_option(command: Command) -> Command:
    """`--seed`, for what is drawn."""
    return click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), help="For the order of servers and for arrivals."
    )(command)  # fmt: skip


def scenario_option(option: Option[Any], *, alone: bool) -> Callable[[Command], Command]:
    """A scenario's own option, in the scenario's own command or in `all`."""
    default = option.alone if alone and option.alone is not None else option.default
    if isinstance(option.default, int):
        kind: click.ParamType[Any] = click.IntRange(option.low, option.high)
    else:
        kind = Real(option.low, option.high, min_open=option.above_low)
    return click.option(option.flag, option.name, type=kind, default=default, show_default=True, help=option.help)


def place_of(given: Mapping[str, Any]) -> Place:
    """Where the run is written, and whose databases it works on."""
    place = Place(**{one.name: given[one.name] for one in fields(Place) if one.name in given})
    if (address := address_of(given)) is None:
        return place
    from bench.cluster.joined import joining  # which takes a second, and Dask

    return replace(place, joined=joining(address))


def options_of(given: Mapping[str, Any], scenarios: Sequence[Scenario], seed: int, **more: Any) -> Options:
    """The options as given. With `--quick`, what nobody has chosen becomes quick."""
    own = [option for scenario in scenarios for option in scenario.options]
    quick = {**QUICK, **{option.name: option.quick for option in own if option.quick is not None}}
    if not given["quick"]:
        quick = {}
    quick = {name: value for name, value in quick.items() if name in given and not was_chosen(name)}
    values = {name: value for name, value in {**given, **quick}.items() if value is not None}
    run_wide = {one.name: values[one.name] for one in fields(Options) if one.name in values}
    chosen = {option.name: values[option.name] for option in own if option.name in values}
    return Options(**{"seed": seed, **run_wide, **more}, chosen=chosen)


def was_chosen(name: str) -> bool:
    """Whether the option was given on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def carry_out(
    session: Session,
    inquiry: Inquiry,
    conclude: Callable[[Console, Run], None],
    *,
    faults: Sequence[Fault] = (),
    hit: Sequence[Model] = (),
    traps: Sequence[Trap] = (),
    cures: bool = False,
    notice: str = "",
) -> Run:
    """Measure, inflict faults, try traps, and print what was found, or what there is of it when the run is stopped.

    Faults are inflicted on the models that are `hit`; `cures`: what cures faults and traps is tried too.
    """
    console = Console(highlight=False)

    def at_end(run: Run, complete: bool) -> None:
        if run.cells or run.traps or run.faults:
            conclude(console, run)
            click.echo(str(write_page(run)))
            click.echo(str(run.path))
        if run.steps_done and not complete:
            click.echo(f"bench: not complete; go on with: {command_line(run)}", err=True)

    report = RunReport(console, at_end, notice)
    inquiry = replace(inquiry, typed=typed(), flags=flags())
    if not (faults or traps):
        return session.carry_out(inquiry, report)
    step = report.progress.step

    def then(bench: Workbench, run: Run) -> None:
        if faults:
            try_faults(faults, hit, bench.testbed, bench.generator, run, step, cures=cures)
        if traps:
            try_all(traps, bench.testbed, bench.generator, run, step, cures=cures)

    return session.carry_out(inquiry, report, then)


def flags() -> dict[str, str]:
    """By name of the option, what the command line calls it."""
    return {str(one.name): one.opts[0] for one in click.get_current_context().command.params}


def typed() -> list[str]:
    """What was typed, so that a run can say how to go on with it; a database's address may hold a password."""
    context = click.get_current_context()
    words = [context.info_name or ""]
    for one in context.command.params:
        name, value = str(one.name), context.params[str(one.name)]
        if name in ("out", "resume") or not was_chosen(name):
            continue
        if isinstance(one, click.Argument):
            words += value
        elif isinstance(one, click.Option) and one.is_flag:
            words.append(one.opts[0])
        else:
            words += [one.opts[0], "URL" if name in ("database_url", "mysql_url") else str(value)]
    return words
