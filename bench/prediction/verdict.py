"""What do the ranked predictions say: a winner, a tie and why, or nobody? And which of equals should be taken?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.judging.statistics import FEWEST_GENERATIONS, RatioInterval
from bench.prediction.costs import Measured
from bench.prediction.figures import Demand
from bench.prediction.predict import Prediction, has_spare
from bench.prediction.sentences import Sentence, say

Kind = Literal["nothing measured", "too few generations", "winner", "tie", "none"]
# Limits that are the reader's own and not the model's, and the sentence for models that meet the same one.
TIES = {"connections": "tie_by_connections", "load": "tie_by_waits"}


@dataclass(frozen=True)
class Row:
    """A model's prediction and place."""

    prediction: Prediction
    rank: int | None
    """1 is best, the same for models that cannot be told apart; None for traps and too few generations."""
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
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """The sentences as a person reads them."""
        return " ".join(sentence.text for sentence in self.sentences)


def verdict_of(rows: Sequence[Row], models: Mapping[str, Measured], demand: Demand) -> Verdict:
    """With a number of requests at once the models that do most are best, with a rate all that keep it."""
    ranked = [row for row in rows if row.rank is not None]
    if not rows:
        return Verdict("nothing measured", (), None, (say("nothing_measured"),))
    if not ranked:
        return Verdict("too few generations", (), None, (say("too_few_generations", generations=FEWEST_GENERATIONS),))
    if demand.rate_rps is not None:
        return keeping(ranked, models, demand)
    best = in_order([row.prediction for row in ranked if row.rank == 1], models, demand)
    return advising(best, does_most(ranked, names_of(best), demand))


def keeping(ranked: Sequence[Row], models: Mapping[str, Measured], demand: Demand) -> Verdict:
    """The models that keep a rate, with a quarter of their capacity to spare."""
    kept = in_order([row.prediction for row in ranked if keeps(row.prediction, demand)], models, demand)
    promise = {"rate": demand.rate_rps, "slo_ms": demand.slo_s * 1e3}
    if not kept:
        best = in_order([row.prediction for row in ranked if row.rank == 1], models, demand)
        found = does_most(ranked, names_of(best), demand)
        return Verdict("none", (), None, (say("none_keeps", **promise), found))
    if len(kept) == 1:
        return advising(kept, say("one_keeps", model=kept[0].model, **promise))
    if len(kept) < len(ranked):
        counts = {"count": len(kept), "ranked": len(ranked)}
        return advising(kept, say("some_keep", models=names_of(kept), **counts, **promise))
    return advising(kept, say("all_keep", ranked=len(ranked), **promise))


def advising(best: Sequence[Prediction], found: Sentence) -> Verdict:
    """The first of the best is advised; what it needs is said, and what the one with most memory needs instead."""
    advised, *others = best
    largest = max(best, key=lambda prediction: prediction.memory_bytes)
    shown = [advised] if largest is advised else [advised, largest]
    return Verdict("tie" if others else "winner", names_of(best), advised.model, (found, *map(needs, shown)))


def keeps(prediction: Prediction, demand: Demand) -> bool:
    """Whether a rate is kept, also by a server that a restart made slower."""
    return prediction.fits and prediction.keeps_slo and has_spare(prediction.capacity_rps, demand.rate_rps or 0.0)


def in_order(best: Sequence[Prediction], models: Mapping[str, Measured], demand: Demand) -> list[Prediction]:
    """Of models that do the same, first what can stream, takes the code as it is, keeps p99, and has least memory."""

    def cost(prediction: Prediction) -> tuple[bool, bool, bool, bool, float]:
        model = models[prediction.model]
        return (
            not prediction.fits,
            demand.streaming and not model.can_stream,
            demand.existing_sync_code and model.app != "gevent_app",
            not prediction.keeps_slo,
            prediction.memory_bytes,
        )

    return sorted(best, key=cost)


def does_most(ranked: Sequence[Row], names: Sequence[str], demand: Demand) -> Sentence:
    """The best model and by how much it is ahead, or the models that do the same."""
    if len(names) > 1:
        return tie([row for row in ranked if row.rank == 1], names, demand)
    best = ranked[0].prediction
    said = {"model": best.model, "rate": best.capacity_rps}
    for row in ranked:
        if row.rank != 1 and row.to_best is not None:
            ratios = {"ratio": 1 / row.to_best.ratio, "low": 1 / row.to_best.high, "high": 1 / row.to_best.low}
            return say("most_over_next", **said, next=row.prediction.model, **ratios)
    return say("most", **said)


def tie(best: Sequence[Row], names: Sequence[str], demand: Demand) -> Sentence:
    """Models that do the same; if the reader's own limit binds all of them, it is named."""
    ratios = [row.to_best for row in best if row.to_best is not None]
    percent = max(1, *(math.ceil(100 * max(1 - ratio.low, ratio.high - 1)) for ratio in ratios))
    limits = {row.prediction.limit for row in best}
    code = TIES.get(limits.pop(), "tie") if len(limits) == 1 else "tie"
    rate_rps = best[0].prediction.capacity_rps
    return say(code, models=names, rate=rate_rps, percent=percent, connections=demand.db_connections)


def needs(prediction: Prediction) -> Sentence:
    """How many processes, and how much memory."""
    memory_mb = prediction.memory_bytes / 1e6
    return say("needs", model=prediction.model, processes=prediction.processes, memory_mb=memory_mb)


def names_of(predictions: Sequence[Prediction]) -> tuple[str, ...]:
    """The models that they are about."""
    return tuple(prediction.model for prediction in predictions)
