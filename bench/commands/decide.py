"""The command `decide`: asks for the reader's own figures, and says what each model would do with them."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.commands.options import EXIT_FAILED, Real, database_option, generators_option
from bench.commands.results import DAMAGE, damaged, newest_run, sound_run
from bench.commands.weak_points import weak_lines, weak_values, weakness_of
from bench.errors import BenchError
from bench.measuring.session import Place, workbench
from bench.prediction import advice
from bench.prediction.check import Checked, checks, passed
from bench.prediction.costs import Measured, Unmeasured, measured, without_calls
from bench.prediction.figures import (
    CHOICES,
    CONCURRENCY,
    CONNECTION,
    DATA_LAYER,
    FACTS,
    FIGURES,
    GIVEN_BACK,
    HELD,
    OWN,
    RATE,
    Choice,
    Demand,
    Figure,
    demand_of,
)
from bench.prediction.layers import LAYERS
from bench.prediction.rank import Decision, decide, has_layer
from bench.prediction.sentences import Sentence, say, texts
from bench.prediction.tried import ASKED, decide_for_app, demand_of_trial
from bench.report.terminal import decide as decide_report
from bench.results import Run
from bench.testbed.processes.temporary import temporary_folder
from bench.words import join

# With `--quick`: between them they have enough unseen loads to judge by.
QUICK_MODELS = ("gevent", "asyncio-bridge")
BOTH = "--rate and --concurrency both say how many requests there are; give one of them"


def type_of(one: Figure) -> click.ParamType[Any]:
    """Which values the option of a figure takes."""
    if one.whole:
        return click.IntRange(int(one.low), int(one.high))
    return Real(one.low, one.high, min_open=one.above)


def figures(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each figure and fact."""
    layers, own = click.Choice(list(LAYERS)), f"[default: {DATA_LAYER.answers[OWN]}]"
    command = click.option("--data-layer", DATA_LAYER.name, type=layers, help=f"{DATA_LAYER.question}  {own}")(command)
    for answer in (GIVEN_BACK, HELD):
        flag = f"--connection-{answer.replace(' ', '-')}"
        text = f"During calls a connection is {CONNECTION.answers[answer]}.  [default: {CONNECTION.answers[OWN]}]"
        command = click.option(flag, CONNECTION.name, flag_value=answer, default=None, help=text)(command)
    for name, question in reversed(FACTS.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=question)(command)
    for one in reversed(FIGURES):
        default = f"{one.default:g}" if one.name != RATE else False
        option = click.option(
            one.flag, one.name, type=type_of(one), metavar="N", help=f"{one.question}.", show_default=default
        )
        command = option(command)
    return command


# fmt: off
@click.command("decide", epilog="Example: python -m bench decide --db-wait-ms 50 --concurrency 200 --db-connections 20")
@figures
@click.option("--results", "folder", type=click.Path(path_type=Path), metavar="DIR",
              help="The run to predict from.  [default: the newest in results/ that has throughput cells]")
@click.option("--check", "checking", is_flag=True,
              help="Predict loads that no scenario has, and measure them: 4 to 5 minutes. Exit code 1 if they differ.")
@click.option("--quick", is_flag=True, help="With --check: measure two models in place of four.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@generators_option
@database_option
def decide_command(
    folder: Path | None, checking: bool, quick: bool, as_json: bool, database_url: str | None, generators: int | None,
    **given: Any,
) -> None:
    """Which model for your own figures?

    Predicts, from what a run has measured, what each model would do with your requests, ranks the models, and says what
    the choice costs in code. In a terminal it asks for the figures if you give none. With --results of a trial (python
    -m bench try) it predicts that application's own requests, and takes only how many there are and what they may use.
    """
    run = sound_run(folder) if folder else newest()
    if run.tried:
        if checking or quick:
            raise BenchError("--check is for the bench's own models; leave it out with the run of a trial")
        for_app(run, given, as_json=as_json)
        return
    models, unmeasured = understood(run)
    if checking:
        if any(value is not None and value is not False for value in given.values()):
            raise BenchError("--check measures loads of its own; leave out your figures, or leave out --check")
        check(run, few(models) if quick else models, database_url, as_json, generators or 1)
        return
    if quick or generators:
        flag = "--quick" if quick else "--generators"
        raise BenchError(f"{flag} is for what is measured: add --check, or leave it out")
    if not models:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in unmeasured) or "it has no cells"
        raise BenchError(f"{run.path} has nothing to predict from ({reasons}); run python -m bench throughput")
    demand, assumed = demand_from(given, asking=not as_json and sys.stdin.isatty() and sys.stdout.isatty())
    unmeasured += without_calls(models) if demand.calls else []
    if not any(has_layer(model, demand) for model in models):
        raise BenchError(say("no_layers").text)
    decision = decide(models, demand)
    advised = advice.advice(decision, models, demand)
    best = decision.verdict.advised
    weakness = weakness_of(best, run) if best else None
    if as_json:
        values = as_values(run, demand, decision, unmeasured, advised)
        click.echo(json.dumps(values | {"faults": weak_values(weakness)}, indent=1))
        return
    console = Console(highlight=False)
    measured_in = f"{max(len(model.generations) for model in models)} generations of servers"
    console.print(f"From {run.path} ({measured_in}, {run.started_utc}).", style="dim", soft_wrap=True)
    if assumed:
        console.print(f"Assumed: {assumed}", style="dim")
    console.print(f"{decide_report.demand_line(demand)}:\n")
    console.print(decide_report.report(decision, demand, unmeasured, advised))
    if best:
        console.print(weak_lines(best, weakness))
# fmt: on


def for_app(run: Run, given: Mapping[str, Any], *, as_json: bool) -> None:
    """The answer for the application of a trial, whose own requests are known."""
    chosen = {name: value for name, value in given.items() if value is not None and value is not False}
    if known := [name for name in chosen if name not in ASKED]:
        flags = join([f"--{name.replace('_', '-')}" for name in known])
        raise BenchError(f"the trial has measured the application's own requests; leave out {flags}")
    if {RATE, CONCURRENCY} <= chosen.keys():
        raise BenchError(BOTH)
    other = CONCURRENCY if RATE in chosen else RATE
    values = {one.name: one.default for one in FIGURES if one.name in ASKED and one.name != other}
    demand = demand_of_trial(run, {**values, **chosen})
    try:
        decision, unmeasured = decide_for_app(run, demand)
    except DAMAGE as error:
        raise damaged(run, error) from None
    if as_json:
        click.echo(json.dumps(as_values(run, demand, decision, unmeasured, []), indent=1))
        return
    console = Console(highlight=False)
    console.print(f"From {run.path} (a trial of {run.tried and run.tried.app.target}, {run.started_utc}).", style="dim",
                  soft_wrap=True)  # fmt: skip
    console.print(f"{decide_report.app_line(demand)}:\n")
    console.print(decide_report.app_report(decision, demand, unmeasured))


def demand_from(given: Mapping[str, Any], *, asking: bool) -> tuple[Demand, str]:
    """The demand, and which options were assumed. Raises BenchError for options that contradict each other."""
    values = {name: value for name, value in given.items() if value is not None and value is not False}
    if {RATE, CONCURRENCY} <= values.keys():
        raise BenchError(BOTH)
    if values.get("queries") == 0 and values.get("db_wait_ms"):
        raise BenchError("--db-wait-ms is for each query, and with --queries 0 there is none; leave one of them out")
    if asking and not values:
        values = asked()
    other = CONCURRENCY if RATE in values else RATE
    unsaid = {one.name: one for one in FIGURES if one.name not in values and one.name != other}
    assumed = " ".join(f"{one.flag} {one.default:g}" for one in unsaid.values())
    return demand_of({**{name: one.default for name, one in unsaid.items()}, **values}), assumed


def asked() -> dict[str, Any]:
    """Every figure, asked for one by one; of rate and concurrency only one."""
    at_a_rate = click.confirm("Do you know how many requests come a second (else: how many at once)?", default=False)
    other = CONCURRENCY if at_a_rate else RATE
    chosen = [one for one in FIGURES if one.name != other]
    values = {one.name: click.prompt(one.question, type=type_of(one), default=one.default) for one in chosen}
    facts = {name: click.confirm(question, default=False) for name, question in FACTS.items()}
    return values | facts | {choice.name: answered(choice) for choice in CHOICES}


def answered(choice: Choice) -> str:
    """One of a choice's answers, asked for."""
    answer: str = click.prompt(choice.question, type=click.Choice(list(choice.answers)), default=OWN)
    return answer


def understood(run: Run) -> tuple[list[Measured], list[Unmeasured]]:
    """The models of a run. Raises BenchError if its cells are not what they should be."""
    try:
        return measured(run)
    except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise BenchError(f"{run.path} is damaged: {type(error).__name__} {error}") from None


def newest() -> Run:
    """The last run in results/ that has throughput cells. Raises BenchError if there is none."""
    run = newest_run(lambda run: run.of("throughput"))
    if run is None:
        raise BenchError("no run in results/ has throughput cells; run python -m bench all, or pass --results DIR")
    return run


def as_values(
    run: Run, demand: Demand, decision: Decision, unmeasured: list[Unmeasured], advised: list[Sentence]
) -> dict[str, Any]:
    """The whole answer for programs; `sentences` say by code and values what `sentence` says in words."""
    found = asdict(decision)
    return {
        "results": str(run.path),
        "demand": asdict(demand),
        **found,
        "verdict": found["verdict"] | {"sentence": decision.verdict.text},
        "advice": texts(advised),
        "not_measured": [asdict(model) for model in unmeasured],
    }


def few(models: list[Measured]) -> list[Measured]:
    """The models that a quick check measures: two of those that are usually checked, else the run's first two."""
    return [model for model in models if model.name in QUICK_MODELS] or models[: len(QUICK_MODELS)]


def check(run: Run, models: list[Measured], database_url: str | None, as_json: bool, generators: int = 1) -> None:
    """Predict loads, measure them, and show both; the exit code is 1 if too many predictions are wrong."""
    found: list[Checked] = []
    with (
        temporary_folder("bench-decide-") as logs,
        workbench(Place(database_url=database_url), logs.path, generators=generators) as bench,
    ):
        for one in checks(run, models, bench.testbed, bench.generator):
            found.append(one)
            click.echo(f"{len(found)}: {one.model} {one.workload}", err=True)
    if as_json:
        click.echo(json.dumps([{**asdict(one), "ratio": one.ratio} for one in found], indent=1))
    else:
        console = Console(highlight=False)
        console.print(decide_report.check_table(found))
        console.print(decide_report.check_summary(found), style="bold")
    if not passed(found):
        raise SystemExit(EXIT_FAILED)
