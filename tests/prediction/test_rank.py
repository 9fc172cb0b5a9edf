"""Who ties, who wins, who is advised, and what is said of it."""

import json
from dataclasses import asdict, replace

from bench.prediction.advice import advice
from bench.prediction.predict import Prediction
from bench.prediction.rank import Decision, decide
from bench.prediction.sentences import texts
from tests.prediction.examples import BLOCKING, DEMAND, SYNC, THREADS, model, times


def test_models_that_the_same_connections_bind_tie_whatever_they_cost() -> None:
    found = decide([model(), model("asyncio-bridge", app="asyncio_app", generations=times(0.7)), SYNC], DEMAND)
    assert {row.rank for row in found.rows} == {1}
    assert found.verdict.kind == "tie"
    assert found.verdict.text.startswith(
        "Your 20 database connections are the limit: asyncio-bridge, gevent and sync each"
    )
    assert "at most 1 % apart, whatever their concurrency model" in found.verdict.text


CPU_BOUND = replace(DEMAND, concurrency=5_000, db_connections=5_000, cpu_s=0.0)


def test_a_winner_is_named_with_its_ratio_and_interval() -> None:
    found = decide([model(generations=times(1.4)), model("asyncio-bridge", generations=times(1))], CPU_BOUND)
    assert (found.verdict.kind, found.verdict.advised) == ("winner", "asyncio-bridge")
    assert "1.40 times as many as gevent (1.40 to 1.40)" in found.verdict.text
    assert [(row.prediction.model, row.rank) for row in found.rows] == [("asyncio-bridge", 1), ("gevent", 2)]


def test_a_difference_within_five_per_cent_is_a_tie() -> None:
    close = decide([model(generations=times(1.03)), model("asyncio-bridge", generations=times(1))], CPU_BOUND)
    assert close.verdict.kind == "tie"
    beyond = decide([model(generations=times(1.07)), model("asyncio-bridge", generations=times(1))], CPU_BOUND)
    assert beyond.verdict.kind == "winner"


def test_too_few_generations_name_no_winner_and_traps_are_never_ranked() -> None:
    few = decide([model(generations=times(1.4)[:2]), model("asyncio-bridge", generations=times(1)[:2])], CPU_BOUND)
    assert (few.verdict.kind, [row.rank for row in few.rows]) == ("too few generations", [None, None])
    assert "no winner is named" in few.verdict.text
    wrong = model("fast but wrong", trap=True, generations=times(0.1))
    trap = decide([model(generations=times(1.4)), wrong], CPU_BOUND)
    assert (trap.verdict.advised, trap.rows[-1].prediction.model, trap.rows[-1].rank) == (
        "gevent", "fast but wrong", None
    )  # fmt: skip
    assert decide([], DEMAND).verdict.kind == "nothing measured"


def test_a_model_of_fewer_generations_than_others_is_predicted_and_not_ranked() -> None:
    both = [model(generations=times(1)), model("asyncio-bridge", generations=times(1.4))]
    found = decide([*both, replace(SYNC, generations=times(1)[:2])], CPU_BOUND)
    assert [(row.prediction.model, row.rank) for row in found.rows] == [
        ("gevent", 1),
        ("asyncio-bridge", 2),
        ("sync", None),
    ]
    assert found.rows[2].to_best is None


def test_three_generations_are_enough_to_name_a_winner() -> None:
    few = [model(generations=times(1.4)[:3]), model("asyncio-bridge", generations=times(1)[:3])]
    assert decide(few, CPU_BOUND).verdict.advised == "asyncio-bridge"


def test_for_a_rate_what_counts_is_who_keeps_it() -> None:
    models = [model(generations=times(1.4)), model("asyncio-bridge", app="asyncio_app", generations=times(1)), SYNC]
    easy = decide(models, replace(DEMAND, concurrency=None, rate_rps=50.0))
    assert easy.verdict.text.startswith("All 3 models keep 50.0 requests a second with p99 below 1,000 ms")
    hard = decide(models, replace(DEMAND, concurrency=None, rate_rps=1_500.0, db_connections=1_000))
    assert set(hard.verdict.models) == {"gevent", "asyncio-bridge"}
    assert hard.verdict.text.startswith("2 of 3 models keep 1,500 requests a second")
    nobody = decide(models, replace(DEMAND, concurrency=None, rate_rps=90_000.0))
    assert (nobody.verdict.kind, nobody.verdict.models) == ("none", ())


def test_facts_change_who_is_advised_among_equals() -> None:
    models = [model(), model("asyncio-bridge", app="asyncio_app", memory_bytes=5e7), replace(THREADS, memory_bytes=4e8)]
    assert decide(models, DEMAND).verdict.advised == "asyncio-bridge"
    assert decide(models, replace(DEMAND, existing_sync_code=True)).verdict.advised == "gevent"
    cheap_threads = [model(), replace(THREADS, memory_bytes=1e7)]
    assert decide(cheap_threads, DEMAND).verdict.advised == "threads"
    assert decide(cheap_threads, replace(DEMAND, streaming=True)).verdict.advised == "gevent"


def test_advice_names_the_code_the_facts_and_the_trap_beside_the_advised_model() -> None:
    models = [model(), BLOCKING, SYNC]
    demand = replace(DEMAND, streaming=True, blocking_libraries=True, existing_sync_code=True)
    found = texts(advice(decide(models, demand), models, demand))
    assert "lines of the views differ" in found[0]
    assert "Models that are not fit for streaming: sync." in found
    assert any(text.startswith("Trap: blocking (waits block) would come to ") for text in found)
    plain = advice(decide(models, DEMAND), models, DEMAND)
    assert len(plain) == len(found) - 4


def test_advice_says_what_a_commit_before_the_call_would_give() -> None:
    demand = replace(DEMAND, upstream_wait_s=0.2, calls=1)
    for keeps, said in ((True, True), (False, False)):
        models = [model(keeps_connection=keeps)]
        found = texts(advice(decide(models, demand), models, demand))
        assert any(text.startswith("gevent keeps its database connection while the other") for text in found) is said
    assert "held" not in [one.code for one in advice(decide(models, DEMAND), models, DEMAND)]


def test_a_model_whose_waits_block_is_no_trap_where_nothing_waits() -> None:
    models = [model(), BLOCKING, SYNC]
    demand = replace(DEMAND, queries=0, db_wait_s=0.0)
    assert "trap" not in [sentence.code for sentence in advice(decide(models, demand), models, demand)]
    assert "trap" in [sentence.code for sentence in advice(decide(models, DEMAND), models, DEMAND)]


def test_a_decision_can_be_written_as_json() -> None:
    found = decide([model(), SYNC], DEMAND)
    assert isinstance(found, Decision)
    assert isinstance(found.rows[0].prediction, Prediction)
    assert json.loads(json.dumps(asdict(found)))["verdict"]["kind"] == "tie"
