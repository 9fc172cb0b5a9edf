"""What does a choice cost in code, what do the reader's facts change, and which traps lie beside the advised model?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.judging.app_code import pairs
from bench.judging.standings import FRAMEWORK
from bench.judging.statistics import PRACTICAL_MARGIN
from bench.models import MODELS
from bench.prediction.costs import Measured, Unmeasured, on_asyncio
from bench.prediction.figures import GIVEN_BACK, Demand
from bench.prediction.predict import throughput
from bench.prediction.rank import Decision, has_layer, is_usable
from bench.prediction.sentences import Sentence, say
from bench.prediction.station import holds, station_of


def code_cost() -> Sentence:
    """How many lines differ between the two apps' views."""
    both = pairs()
    return say("code", differing=sum(pair.differing_lines for pair in both), lines=sum(pair.lines for pair in both))


def advice(decision: Decision, models: Sequence[Measured], demand: Demand) -> list[Sentence]:
    """What the reader should know beside the figures."""
    known = {model.name: model for model in models}
    advised = known.get(decision.verdict.advised or "")
    found = [code_cost()]
    if advised is not None and advised.framework != FRAMEWORK:
        found.append(say("another_framework", model=advised.name))
    found += facts(list(known.values()), demand)
    if others := [model.name for model in known.values() if not has_layer(model, demand)]:
        found.append(say("other_layers", models=others))
    found += held(decision, known, demand)
    if advised is not None and (processes := processes_of(decision).get(advised.name)):
        found += traps(advised, known, demand, processes)
    return found


def facts(models: Sequence[Measured], demand: Demand) -> list[Sentence]:
    """What follows from the facts that the reader ticked."""
    said = [say(fact) for fact in ("blocking_libraries", "existing_sync_code", "streaming") if getattr(demand, fact)]
    unfit = [model.name for model in models if not model.can_stream]
    return [*said, say("not_for_streaming", models=unfit)] if demand.streaming and unfit else said


def held(decision: Decision, known: Mapping[str, Measured], demand: Demand) -> list[Sentence]:
    """What the best model that loses by keeping a connection during calls would do if it gave the connection back."""
    for row in decision.rows:
        model, processes = known[row.prediction.model], row.prediction.processes
        there = rate_of(model, demand, processes)
        free = rate_of(model, replace(demand, connection=GIVEN_BACK), processes)
        if holds(model, demand) and not model.trap and free > PRACTICAL_MARGIN * there:
            return [say("held", model=model.name, there=there, free=free)]
    return []


def processes_of(decision: Decision) -> dict[str, int]:
    """The processes of each model."""
    return {row.prediction.model: row.prediction.processes for row in decision.rows}


def traps(advised: Measured, known: Mapping[str, Measured], demand: Demand, processes: int) -> list[Sentence]:
    """Measured models of the same application whose waits block, and which do less for it than the advised one."""
    rate = rate_of(advised, demand, processes)
    found = []
    for model in known.values():
        less = (model.python_overlaps, model.database_overlaps) < (advised.python_overlaps, advised.database_overlaps)
        alike = model.app == advised.app and on_asyncio(model) == on_asyncio(advised) and is_usable(model, demand)
        if alike and less:
            there = rate_of(model, demand, min(processes, demand.db_connections))
            names = {"trap": model.name, "situation": situation(model.name), "model": advised.name}
            if rate > PRACTICAL_MARGIN * there:
                found.append(say("trap", **names, there=there, rate=rate, processes=processes))
    return found


def rate_of(model: Measured, demand: Demand, processes: int) -> float:
    """Its throughput with so many processes."""
    return throughput(model, station_of(model, model.costs, demand), demand, processes)


def situation(name: str) -> str:
    """What the registry says that blocks."""
    return next((model.situation for model in MODELS if model.name == name), "waits block")


def notes(decision: Decision, demand: Demand) -> list[Sentence]:
    """What the marks in the table of predictions mean, of those that are in it."""
    found = [row.prediction for row in decision.rows]
    said = [say("margin", margin=PRACTICAL_MARGIN)]
    if any(row.rank is None for row in decision.rows):
        said.append(say("unranked"))
    if not all(one.keeps_slo for one in found):
        said.append(say("late", slo_ms=demand.slo_s * 1e3))
    if not all(one.fits for one in found):
        said.append(say("too_large"))
    return said


def not_measured(models: Sequence[Unmeasured]) -> list[Sentence]:
    """For each reason the models that nothing is predicted for, and what to run."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for model in models:
        reasons.setdefault((model.reason, model.remedy), []).append(model.name)
    return [
        say("not_measured", models=", ".join(names), reason=reason, remedy=remedy, argument=",".join(names))
        for (reason, remedy), names in reasons.items()
    ]
