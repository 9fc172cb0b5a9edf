"""A trial of somebody's application in the terminal: what each model made of it, what blocks, and which to take.

Everything fits 80 columns but commands, which are not broken, so that they can be copied.
"""

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging import judge
from bench.judging.outcomes import plural
from bench.judging.tried import Line
from bench.judging.tried_sentences import told
from bench.judging.tried_waits import JudgedWaits, Kind
from bench.report.terminal.load import duration
from bench.report.terminal.run import footer
from bench.report.terminal.scenario import empty, tables
from bench.report.tried import Place, Trial, confirmed, places, reasons, trial_of, waits_of, watched
from bench.results import Run
from bench.results.tried import Tried, TriedModel
from bench.words import join

INDENT = (0, 0, 0, 2)
PLACES_SHOWN = 6
DIFFERENCES_SHOWN = 12
SHORT: Kind = "too short to say"


def summary(console: Console, run: Run) -> None:
    """All that a trial found; which model to take comes last, where the reader's eye is."""
    trial = trial_of(judge(run))
    if trial is None:
        return
    tried = trial.tried
    section(console, "try", chain(opening(tried), [models_table(trial)], problems(tried)))
    section(console, "what blocks", blocking(tried))
    section(console, "how long requests take", waits(tried))
    section(console, "what each costs", chain(costs(tried), load(trial, console.width)))
    recommend(console, trial)
    for note in tried.notes:
        console.print(Text(f"– {note}", "dim"))
    if trial.load:
        console.print(Text("How many processes, and what binds first, at your own load:", "dim"))
        typed(console, shlex.join(["python", "-m", "bench", "decide", "--results", str(run.folder)]))
    footer(console, run)


def section(console: Console, heading: str, parts: Iterable[RenderableType]) -> None:
    """A heading, what is beneath it, and an empty line; nothing without parts."""
    found = list(parts)
    if found:
        for part in (Rule(Text(heading, "bold"), align="left", style="dim"), *found, ""):
            console.print(part)


def opening(tried: Tried) -> list[Text]:
    """What was tried, in which environment, and what it was asked."""
    app = tried.app
    kind = " ".join(filter(None, (app.framework, app.interface.upper())))
    where = f", {kind}, Python {app.version}, in {app.folder}" if app.python else ", a server that ran already"
    lines = [Text.assemble((app.target, "bold"), where)]
    if app.added:
        lent = join([f"{name} {version}" for name, version in app.added.items()])
        lines.append(Text(f"lent to its environment for the trial: {lent}", "dim"))
    asked = ", ".join(f"{one.name} ({one.status})" for one in tried.requests)
    lines.append(Text(f"{plural(len(tried.requests), 'request')}: {asked}", "dim"))
    return lines


def models_table(trial: Trial) -> Table:
    """A row for each model: a word for each thing that was asked of it."""
    table = empty()
    for heading in ("model", "starts", "alone", "at once", "waits", "verdict"):
        table.add_column(heading, no_wrap=heading not in ("alone", "at once"))
    table.padding = (0, 1, 0, 0)
    for line in trial.judged.lines:
        words = line.starts, line.alone, line.at_once, line.waits, Text(line.verdict, colour(line, trial))
        table.add_row(line.model, *words, style="" if line.eligible else "dim")
    return table


def colour(line: Line, trial: Trial) -> str:
    """The colour of a verdict, by what it means."""
    if line.model == trial.judged.recommendation.model:
        return "bold green"
    return "" if line.eligible else "yellow"


def problems(tried: Tried) -> Iterator[Text]:
    """Why models do not answer, and every answer that is not what the first model gives."""
    for model, reason in reasons(tried):
        yield Text(f"{model.name}: {reason}", "yellow" if model.state == "failed" else "dim")
    found = [f"{model.name}: {told(one)}" for model in tried.models for one in model.differences]
    for text in found[:DIFFERENCES_SHOWN]:
        yield Text(text, "yellow")
    if len(found) > DIFFERENCES_SHOWN:
        yield Text(f"and {plural(len(found) - DIFFERENCES_SHOWN, 'further difference')}: the page has all", "yellow")


def waits(tried: Tried) -> Iterator[RenderableType]:
    """For each request that is long enough, how long it takes under every model, alone and together."""
    for request in tried.requests:
        rows = waits_of(tried, request.name)
        if any(one.kind != SHORT for _, one in rows):
            yield waits_table(request.name, rows)
        elif rows:
            longest_s = max(one.own_s for _, one in rows)
            yield Text(f"{request.name} takes {duration(longest_s)} at most: {SHORT} whether its waits overlap", "dim")


def waits_table(request: str, rows: Sequence[tuple[str, JudgedWaits]]) -> Table:
    """A row for each model."""
    table = empty("model")
    table.title, table.title_justify, table.title_style = request, "left", "bold"
    for heading in ("alone", "in the app", "its CPU", f"{rows[0][1].waits.at_once} at once"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("waits", no_wrap=True)
    table.padding = (0, 2, 0, 0)
    for name, one in rows:
        times = (one.waits.alone_s, one.waits.wall_s, one.waits.cpu_s, one.waits.together_s)
        table.add_row(name, *map(duration, times), one.text)
    return table


def blocking(tried: Tried) -> Iterator[RenderableType]:
    """Each line that blocks, what it does, how long it held others up under which models, and what helps."""
    if said_watched := watched(tried):
        found = places(tried.models)
        yield Text(said_watched if found else f"{said_watched} Nothing blocked.", "dim")
        for number, one in enumerate(found[:PLACES_SHOWN]):
            yield ""
            yield from block(one)
            yield from advice(one, known={each.advice for each in found[:number]})
        if len(found) > PLACES_SHOWN:
            yield Text(f"and {plural(len(found) - PLACES_SHOWN, 'further line')}: the page has all", "dim")


def block(one: Place) -> Iterator[RenderableType]:
    """A line that blocks."""
    yield Text.assemble((one.where, "bold"), f" in {one.function} ", (one.what, "yellow"))
    if one.source:
        yield Padding(Text(one.source, "cyan"), (0, 0, 0, 4), expand=False)
    for each in one.held:
        longest = f", {duration(each.longest_s)} at the longest" if each.count > 1 else ""
        total = f"{each.model}: {duration(each.total_s)} in {plural(each.count, 'time')}{longest}"
        yield Padding(Text(total), INDENT, expand=False)
    yield Padding(Text(f"in {join(one.requests)}", "dim"), INDENT, expand=False)


def advice(one: Place, known: Collection[object]) -> Iterator[RenderableType]:
    """What helps at a place, in short where it is what helps at one above it."""
    if one.advice and one.advice in known:
        yield Padding(Text("→ as above", "green"), INDENT, expand=False)
        return
    for models, text in one.advice:
        whose = "" if len(models) == len(one.held) else f"{join(models)}: "
        yield Padding(Text(f"→ {whose}{text}", "green"), INDENT, expand=False)


def costs(tried: Tried) -> Iterator[RenderableType]:
    """What each model's process held under load."""
    held = [model for model in tried.models if model.memory_bytes is not None]
    if not held:
        return
    table = empty("model")
    for heading in ("MB", "threads", "database connections"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.padding = (0, 2, 0, 0)
    for model in held:
        table.add_row(model.name, *held_by(model))
    yield table


def held_by(model: TriedModel) -> tuple[str, ...]:
    """Its memory, threads and database connections; a dash for what is not known."""
    megabytes = "–" if model.memory_bytes is None else f"{model.memory_bytes / 1e6:,.0f}"
    threads, connections = model.threads, model.database_connections
    return megabytes, *("–" if each is None else str(each) for each in (threads, connections))


def load(trial: Trial, width: int) -> list[RenderableType]:
    """What requests cost under load, as in every other run."""
    return ["", *tables(trial.load, width)] if trial.load else []


def recommend(console: Console, trial: Trial) -> None:
    """Which model to take and why, its command and files, and whether that was tried once more."""
    console.print(Rule(Text("which to take", "bold"), align="left", style="dim"))
    model, found = trial.recommended, trial.judged.recommendation
    title = Text(f"Take {model.name}.", "bold green") if model else Text("No model is recommended.", "bold yellow")
    for part in (title, *map(Text, found.reasons)):
        console.print(part)
    if model:
        how_to(console, trial.tried, model)
    for sentence in found.next:
        console.print(Text(sentence))
    console.print()


def how_to(console: Console, tried: Tried, model: TriedModel) -> None:
    """What to type for a model; not wrapped, and without colours, so that it can be copied."""
    if model.install:
        typed(console, f"pip install {' '.join(model.install)}")
    for name, content in model.files.items():
        console.print(f"\n{name}:", soft_wrap=True)
        for line in content.rstrip().splitlines():
            typed(console, line, "    ")
    console.print()
    typed(console, model.typed)
    console.print()
    if tried.confirmed and tried.confirmed.model == model.name:
        console.print(confirmed(tried.confirmed))


def typed(console: Console, line: str, indent: str = "  $ ") -> None:
    """A line as it is typed, however long it is."""
    console.print(Text(f"{indent}{line}"), soft_wrap=True)
