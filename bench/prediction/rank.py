"""Which model does most under a demand, how sure is that, and what is to be said in a sentence?"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.judging.standings import TWIN_SUFFIX
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, RatioInterval, grouped, t_interval
from bench.prediction.costs import Measured
from bench.prediction.figures import Demand
from bench.prediction.predict import Prediction, capacities, predict
from bench.scenarios.latency import RESTART_MARGIN
from bench.words import join

NAMED = 3  # models that a sentence names before it counts the rest

Kind = Literal["nothing measured", "too few rounds", "winner", "tie", "none"]


@dataclass(frozen=True)
class Row:
    """A model's prediction and place."""

    prediction: Prediction
    rank: int | None
    """1 is best, the same for models that cannot be told apart; None for traps, the twin, and too few rounds."""
    to_best: RatioInterval | None
    """Its capacity ÷ the best one's; None for the best."""


@dataclass(frozen=True)
class Verdict:
    """What the rows say."""

    kind: Kind
    models: tuple[str, ...]
    """The best, not told apart."""
    advised: str | None
    """The one of them to take."""
    sentence: str


@dataclass(frozen=True)
class Decision:
    """Rows, best first, the margin that models must differ by, and the verdict."""

    rows: tuple[Row, ...]
    margin: float
    verdict: Verdict


def decide(models: Sequence[Measured], demand: Demand) -> Decision:
    """Predict, rank, and say it."""
    usable = [model for model in models if not demand.calls or model.calls_s is not None]
    values = {model.name: capacities(model, demand) for model in usable}
    margin = margin_of(values)
    ranked = [model for model in usable if not model.trap and not model.twin]
    most = max((len(model.rounds) for model in ranked), default=0)
    whole = {model.name: values[model.name] for model in ranked if len(model.rounds) == most}
    predictions = {model.name: predict(model, demand) for model in usable if not model.twin}
    order = sorted(predictions, key=lambda name: (name not in whole, -predictions[name].capacity_rps))
    best_first = [name for name in order if name in whole]
    ranks = grouped(best_first, is_below(whole, margin)) if most >= MIN_ROUNDS else {}
    rows = tuple(
        Row(
            predictions[name],
            ranks.get(name),
            t_interval(whole[name], whole[order[0]]) if name in whole and name != order[0] and most > 1 else None,
        )
        for name in order
    )
    return Decision(rows, margin, verdict_of(rows, {model.name: model for model in models}, demand))


def margin_of(values: Mapping[str, Sequence[float]]) -> float:
    """5 %, or by what the A/A pair seems to differ, whichever is more."""
    for name, twin in values.items():
        base = name.removesuffix(TWIN_SUFFIX)
        if name != base and len(values.get(base, ())) == len(twin) >= MIN_ROUNDS:
            interval = t_interval(twin, values[base])
            return max(PRACTICAL_MARGIN, interval.high, 1 / interval.low)
    return PRACTICAL_MARGIN


def is_below(values: Mapping[str, Sequence[float]], margin: float) -> Callable[[str, str], bool]:
    """Whether a model's whole interval lies below the leader's capacity by more than the margin."""
    return lambda leader, name: t_interval(values[name], values[leader]).high < 1 / margin


def verdict_of(rows: Sequence[Row], models: Mapping[str, Measured], demand: Demand) -> Verdict:
    """For so many requests at once the models that do most, for a rate those that keep it; and the one to take."""
    ranked = [row for row in rows if row.rank is not None]
    if not rows:
        return Verdict("nothing measured", (), None, "No model has the cells that a prediction needs.")
    if not ranked:
        text = f"Fewer than {MIN_ROUNDS} rounds of each model: figures only, no winner."
        return Verdict("too few rounds", (), None, text)
    if demand.rate_rps is not None:
        return keeping(ranked, models, demand)
    best = [row for row in ranked if row.rank == 1]
    advised, *others = in_order([row.prediction for row in best], models, demand)
    names = tuple(prediction.model for prediction in (advised, *others))
    if others:
        return Verdict("tie", names, advised.model, f"{tie(best, names, demand)} {taken(advised, others)}")
    return Verdict("winner", names, advised.model, won(ranked))


def keeping(ranked: Sequence[Row], models: Mapping[str, Measured], demand: Demand) -> Verdict:
    """The models that keep a rate, with a quarter to spare."""
    kept = [row.prediction for row in ranked if keeps(row.prediction, demand)]
    promise = f"{figure(demand.rate_rps or 0.0)}/s with p99 below {figure(demand.slo_s * 1e3)} ms"
    if not kept:
        best = [row for row in ranked if row.rank == 1]
        names = tuple(one.model for one in in_order([row.prediction for row in best], models, demand))
        most = tie(best, names, demand) if len(best) > 1 else won(ranked)
        return Verdict("none", (), None, f"No model keeps {promise} and a quarter to spare. {most}")
    advised, *others = in_order(kept, models, demand)
    names = tuple(prediction.model for prediction in (advised, *others))
    if not others:
        return Verdict("winner", names, advised.model, f"Only {advised.model} keeps {promise}. {taken(advised, [])}")
    if len(kept) < len(ranked):
        text = f"{len(kept)} of {len(ranked)} models keep {promise}: {listed(names)}."
    else:
        text = f"All {len(ranked)} models keep {promise}, whatever their concurrency model."
    return Verdict("tie", names, advised.model, f"{text} {taken(advised, others)}")


def keeps(prediction: Prediction, demand: Demand) -> bool:
    """Whether a rate is kept, by a server that a restart made slower as well."""
    spare = (demand.rate_rps or 0.0) <= RESTART_MARGIN * prediction.capacity_rps
    return prediction.fits and prediction.keeps_slo and spare


def in_order(best: Sequence[Prediction], models: Mapping[str, Measured], demand: Demand) -> list[Prediction]:
    """Of models that do the same, first what can stream, takes the code as it is, keeps p99, and has least memory."""

    def cost(prediction: Prediction) -> tuple[bool, bool, bool, bool, float]:
        model = models[prediction.model]
        return (
            not prediction.fits,
            demand.streaming and (model.streams is False or model.threads is not None),
            demand.existing_sync_code and model.app != "gevent_app",
            not prediction.keeps_slo,
            prediction.memory_bytes,
        )

    return sorted(best, key=cost)


def tie(best: Sequence[Row], names: Sequence[str], demand: Demand) -> str:
    """Why the best are alike, and how much they may differ all the same."""
    ratios = [row.to_best for row in best if row.to_best is not None]
    percent = max(1, *(math.ceil(100 * max(1 - ratio.low, ratio.high - 1)) for ratio in ratios))
    rate = f"about {figure(best[0].prediction.capacity_rps)}/s, at most {percent} % apart"
    same = f"{listed(names)} {'both' if len(best) == 2 else 'all'} come to {rate}, whatever their concurrency model."
    limits = {row.prediction.limit for row in best}
    if limits == {"connections"}:
        return f"Your {plural(demand.db_connections, 'connection')} bind: {same}"
    if limits == {"load"}:
        return f"The waits themselves bind: {same}"
    return f"{listed(names)} cannot be told apart: {rate}."


def taken(advised: Prediction, others: Sequence[Prediction]) -> str:
    """What tells them apart all the same."""
    text = f"{advised.model} needs {needs(advised)}"
    most = max((advised, *others), key=lambda prediction: prediction.memory_bytes)
    return f"{text}." if most is advised else f"{text}; {most.model} needs {needs(most)}."


def needs(prediction: Prediction) -> str:
    """`1 process and 98 MB`."""
    return f"{plural(prediction.processes, 'process', 'es')} and {figure(prediction.memory_bytes / 1e6)} MB"


def won(ranked: Sequence[Row]) -> str:
    """By how much the best is ahead of the next."""
    best = ranked[0].prediction
    text = f"{best.model} does most: {figure(best.capacity_rps)}/s"
    for row in ranked:
        if row.rank != 1 and row.to_best is not None:
            ratio, low, high = 1 / row.to_best.ratio, 1 / row.to_best.high, 1 / row.to_best.low
            text += f", {ratio:.2f} times {row.prediction.model} ({low:.2f} to {high:.2f})"
            break
    return f"{text}. It needs {needs(best)}."


def listed(names: Sequence[str]) -> str:
    """`a, b and c`, `a, b, c and 4 more`."""
    shown = [*names[:NAMED], f"{len(names) - NAMED} more"] if len(names) > NAMED else list(names)
    return join(shown)


def figure(value: float) -> str:
    """Whole from 100 on, else with a decimal."""
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.1f}"


def plural(count: int, noun: str, ending: str = "s") -> str:
    """`1 connection`, `20 connections`."""
    return f"{count:,} {noun}{'' if count == 1 else ending}"
