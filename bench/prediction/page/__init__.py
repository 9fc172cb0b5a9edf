"""The calculator as a part of the page: the reader's own figures, what is predicted from them, and a map of both.

The page has no server to ask, so its scripts calculate by themselves, from the measured costs that stand in it as data.
sentences.js, queueing.js, station.js, predict.js, verdict.js, rank.js, advice.js and figures.js repeat the modules of
the same names in bench/prediction, and interval.js a part of bench/judging/statistics.py; the tests hold both to the
same results. crossover.js finds what the map says; form.js, view.js and map.js show all of it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.judging.standings import FRAMEWORK
from bench.judging.statistics import FEWEST_GENERATIONS, PRACTICAL_MARGIN, t_quantile
from bench.prediction import advice, sentences
from bench.prediction.costs import CALLS_AT_ONCE, Measured, Unmeasured, measured, on_asyncio, without_calls
from bench.prediction.figures import (
    CHOICES,
    CONCURRENCY,
    DATA_LAYER,
    FACTS,
    FIGURES,
    GIVEN_BACK,
    HELD,
    OWN,
    RATE,
    SESSION,
    Choice,
)
from bench.prediction.layers import SAME
from bench.prediction.predict import ENOUGH, MOST_PROCESSES, NEARLY, P99_DEVIATIONS, RESTART_MARGIN
from bench.prediction.queueing import NEGLIGIBLE
from bench.prediction.sentences import say, texts
from bench.results import Run

# Each needs some of those before it.
NAMES = (
    "data", "sentences", "queueing", "station", "predict", "interval", "verdict", "rank", "advice", "figures",
    "elements", "crossover", "form", "map", "view",
)  # fmt: skip
SCRIPTS = tuple(Path(__file__).with_name(f"{name}.js") for name in NAMES)


def section(run: Run) -> Markup:
    """The section of a run, with its form, its data and its scripts."""
    return section_of(*measured(run))


def section_of(models: Sequence[Measured], unmeasured: Sequence[Unmeasured]) -> Markup:
    """The section for these models."""
    environment = Environment(
        loader=PackageLoader(__name__, "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    template = environment.get_template("section.html.j2")
    return Markup(
        template.render(
            figures=FIGURES,
            loads=(CONCURRENCY, RATE),
            facts=FACTS,
            choices=[(choice, answers_of(choice, models)) for choice in CHOICES],
            models=models,
            generations=max((len(model.generations) for model in models), default=0),
            layers_unknown="" if tells_layers(models) else say("no_layers").text,
            code=advice.code_cost().text,
            caveats=say("caveats").text,
            nothing_measured=say("nothing_measured").text,
            not_measured=texts(advice.not_measured(unmeasured)),
            without_calls=texts(advice.not_measured(without_calls(models))),
            data=embedded(data(models)),
            scripts=[Markup(path.read_text(encoding="utf-8")) for path in SCRIPTS],
        )
    )


def tells_layers(models: Sequence[Measured]) -> bool:
    """Whether some model can be predicted on another data layer than its own."""
    return any(times != SAME for model in models for times in model.layers.values())


def answers_of(choice: Choice, models: Sequence[Measured]) -> dict[str, str]:
    """The answers that something can be predicted for."""
    if choice is not DATA_LAYER:
        return dict(choice.answers)
    known = {OWN}.union(*(model.layers for model in models))
    return {answer: meaning for answer, meaning in choice.answers.items() if answer in known}


def data(models: Sequence[Measured]) -> dict[str, Any]:
    """All that the script calculates with."""
    return {
        "models": [model_data(model) for model in models],
        "quantiles": {count: t_quantile(count) for count in {len(model.generations) for model in models} - {1}},
        "calls_at_once": CALLS_AT_ONCE,
        "enough": ENOUGH,
        "nearly": NEARLY,
        "most_processes": MOST_PROCESSES,
        "negligible": NEGLIGIBLE,
        "p99_deviations": P99_DEVIATIONS,
        "restart_margin": RESTART_MARGIN,
        "practical_margin": PRACTICAL_MARGIN,
        "fewest_generations": FEWEST_GENERATIONS,
        "sentences": sentences.TEMPLATES,
        "limits": sentences.LIMITS,
        "marks": sentences.MARKS,
        "named": sentences.NAMED,
        "figures": [asdict(figure) for figure in FIGURES],
        "facts": list(FACTS),
        "choices": [choice.name for choice in CHOICES],
        "answers": {"own": OWN, "held": HELD, "given_back": GIVEN_BACK, "session": SESSION},
    }


def model_data(model: Measured) -> dict[str, Any]:
    """A model with what follows from its fields."""
    return {
        **asdict(model),
        "costs": asdict(model.costs),
        "can_stream": model.can_stream,
        "flask": model.framework == FRAMEWORK and not model.trap,
        "on_asyncio": on_asyncio(model),
        "situation": advice.situation(model.name),
        "known_app": model.framework == FRAMEWORK,
    }


def embedded(values: Any) -> Markup:
    """JSON that no `</script>` in a name can end."""
    return Markup(json.dumps(values, ensure_ascii=True).replace("<", "\\u003c"))
