"""Which model does most with the reader's requests, and how sure is that?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.statistics import FEWEST_GENERATIONS, PRACTICAL_MARGIN, grouped, t_interval
from bench.prediction.costs import Measured
from bench.prediction.figures import OWN, Demand
from bench.prediction.predict import capacities, predict
from bench.prediction.verdict import Row, Verdict, verdict_of


@dataclass(frozen=True)
class Decision:
    """Rows, best first, and the verdict."""

    rows: tuple[Row, ...]
    verdict: Verdict


def decide(models: Sequence[Measured], demand: Demand) -> Decision:
    """Predict every model, rank those that may be ranked, and say what that means."""
    usable = [model for model in models if is_usable(model, demand)]
    values = {model.name: capacities(model, demand) for model in usable}
    ranked = [model for model in usable if not model.trap]
    most = max((len(model.generations) for model in ranked), default=0)
    whole = {model.name: values[model.name] for model in ranked if len(model.generations) == most}
    predictions = {model.name: predict(model, demand) for model in usable}
    order = sorted(predictions, key=lambda name: (name not in whole, -predictions[name].capacity_rps))
    best_first = [name for name in order if name in whole]
    ranks = grouped(best_first, is_below(whole)) if most >= FEWEST_GENERATIONS else {}
    rows = tuple(
        Row(
            predictions[name],
            ranks.get(name),
            t_interval(whole[name], whole[order[0]]) if name in whole and name != order[0] and most > 1 else None,
        )
        for name in order
    )
    return Decision(rows, verdict_of(rows, {model.name: model for model in models}, demand))


def is_usable(model: Measured, demand: Demand) -> bool:
    """Whether what the demand asks for was measured of a model: its calls, and the data layer."""
    return (not demand.calls or model.calls_s is not None) and has_layer(model, demand)


def has_layer(model: Measured, demand: Demand) -> bool:
    """Whether the reader's data layer was measured for it, if one is named and there are queries."""
    return not demand.queries or demand.data_layer in (OWN, *model.layers)


def is_below(values: Mapping[str, Sequence[float]]) -> Callable[[str, str], bool]:
    """Whether a model's whole interval lies below the leader's capacity by more than 5 %."""
    return lambda leader, name: t_interval(values[name], values[leader]).high < 1 / PRACTICAL_MARGIN
