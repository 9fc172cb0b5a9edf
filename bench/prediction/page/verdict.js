/* bench/prediction/verdict.py once more: what the ranked predictions say. */
"use strict";
const decideVerdict = (() => {
  const { say } = decideSentences;
  const { hasSpare } = decidePredict;
  const known = new Map(decideData.models.map((model) => [model.name, model]));
  const TIES = { connections: "tie_by_connections", load: "tie_by_waits" };
  const namesOf = (predictions) => predictions.map((prediction) => prediction.model);

  function verdictOf(rows, demand) {
    const ranked = rows.filter((row) => row.rank !== null);
    if (!rows.length) return nobody("nothing measured", [say("nothing_measured")]);
    if (!ranked.length) return tooFew();
    if (demand.rate_rps !== null) return keeping(ranked, demand);
    const best = bestOf(ranked, demand);
    return advising(best, doesMost(ranked, namesOf(best), demand));
  }

  const tooFew = () =>
    nobody("too few generations", [say("too_few_generations", { generations: decideData.fewest_generations })]);

  const nobody = (kind, sentences) => ({ kind, models: [], advised: null, sentences });

  const bestOf = (ranked, demand) =>
    inOrder(ranked.filter((row) => row.rank === 1).map((row) => row.prediction), demand);

  function keeping(ranked, demand) {
    const kept = inOrder(ranked.map((row) => row.prediction).filter((prediction) => keeps(prediction, demand)), demand);
    const promise = { rate: demand.rate_rps, slo_ms: demand.slo_s * 1e3 };
    if (!kept.length) {
      const found = doesMost(ranked, namesOf(bestOf(ranked, demand)), demand);
      return nobody("none", [say("none_keeps", promise), found]);
    }
    if (kept.length === 1) return advising(kept, say("one_keeps", { model: kept[0].model, ...promise }));
    if (kept.length === ranked.length) return advising(kept, say("all_keep", { ranked: ranked.length, ...promise }));
    const counts = { count: kept.length, ranked: ranked.length };
    return advising(kept, say("some_keep", { models: namesOf(kept), ...counts, ...promise }));
  }

  function advising(best, found) {
    const [advised, ...others] = best;
    const largest = best.reduce((most, one) => (one.memory_bytes > most.memory_bytes ? one : most));
    const shown = largest === advised ? [advised] : [advised, largest];
    const sentences = [found, ...shown.map(needs)];
    return { kind: others.length ? "tie" : "winner", models: namesOf(best), advised: advised.model, sentences };
  }

  const keeps = (prediction, demand) =>
    prediction.fits && prediction.keeps_slo && hasSpare(prediction.capacity_rps, demand.rate_rps);

  function inOrder(best, demand) {
    const cost = (prediction) => {
      const model = known.get(prediction.model);
      return [
        !prediction.fits,
        demand.streaming && !model.can_stream,
        demand.existing_sync_code && model.app !== "gevent_app",
        !prediction.keeps_slo,
        prediction.memory_bytes,
      ].map(Number);
    };
    return [...best].sort((one, other) => {
      const [mine, its] = [cost(one), cost(other)];
      const index = mine.findIndex((value, place) => value !== its[place]);
      return index < 0 ? 0 : mine[index] - its[index];
    });
  }

  function doesMost(ranked, names, demand) {
    if (names.length > 1) return tie(ranked.filter((row) => row.rank === 1), names, demand);
    const best = ranked[0].prediction;
    const said = { model: best.model, rate: best.capacity_rps };
    const second = ranked.find((row) => row.rank !== 1 && row.to_best !== null);
    if (!second) return say("most", said);
    const { ratio, low, high } = second.to_best;
    const ratios = { ratio: 1 / ratio, low: 1 / high, high: 1 / low };
    return say("most_over_next", { ...said, next: second.prediction.model, ...ratios });
  }

  function tie(best, names, demand) {
    const ratios = best.map((row) => row.to_best).filter((ratio) => ratio !== null);
    const percent = Math.max(1, ...ratios.map(({ low, high }) => Math.ceil(100 * Math.max(1 - low, high - 1))));
    const limits = [...new Set(best.map((row) => row.prediction.limit))];
    const code = (limits.length === 1 && TIES[limits[0]]) || "tie";
    return say(code, { models: names, rate: best[0].prediction.capacity_rps, percent, connections: demand.db_connections });
  }

  const needs = (prediction) =>
    say("needs", {
      model: prediction.model,
      processes: prediction.processes,
      memory_mb: prediction.memory_bytes / 1e6,
    });

  return { known, verdictOf };
})();
