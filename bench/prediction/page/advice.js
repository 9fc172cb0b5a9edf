/* bench/prediction/advice.py once more, without what the apps' code differs by, which does not change with the sliders. */
"use strict";
const decideAdvice = (() => {
  const D = decideData;
  const { say } = decideSentences;
  const { stationOf, holds } = decideStation;
  const { throughput } = decidePredict;
  const { known } = decideVerdict;
  const { isUsable, hasLayer } = decideRank;

  function advice(decision, demand) {
    const advised = known.get(decision.verdict.advised);
    const another = advised && !advised.known_app ? [say("another_framework", { model: advised.name })] : [];
    return [...another, ...facts(demand), ...otherLayers(demand), ...held(decision, demand), ...(advised ? traps(advised, decision, demand) : [])];
  }

  function facts(demand) {
    const said = ["blocking_libraries", "existing_sync_code", "streaming"].filter((fact) => demand[fact]).map((fact) => say(fact));
    const unfit = D.models.filter((model) => !model.can_stream).map((model) => model.name);
    return demand.streaming && unfit.length ? [...said, say("not_for_streaming", { models: unfit })] : said;
  }

  const rateOf = (model, demand, count) => throughput(model, stationOf(model, model.costs, demand), demand, count);

  function otherLayers(demand) {
    const models = D.models.filter((model) => !hasLayer(model, demand)).map((model) => model.name);
    return models.length ? [say("other_layers", { models })] : [];
  }

  function held(decision, demand) {
    for (const { prediction } of decision.rows) {
      const model = known.get(prediction.model);
      const there = rateOf(model, demand, prediction.processes);
      const free = rateOf(model, { ...demand, connection: D.answers.given_back }, prediction.processes);
      if (holds(model, demand) && !model.trap && free > D.practical_margin * there) {
        return [say("held", { model: model.name, there, free })];
      }
    }
    return [];
  }

  function traps(advised, decision, demand) {
    const { processes } = decision.rows.find((row) => row.prediction.model === advised.name).prediction;
    const rate = rateOf(advised, demand, processes);
    const less = (model) =>
      model.python_overlaps < advised.python_overlaps ||
      (model.python_overlaps === advised.python_overlaps && model.database_overlaps < advised.database_overlaps);
    return D.models
      .filter((model) => model.app === advised.app && model.on_asyncio === advised.on_asyncio && isUsable(model, demand) && less(model))
      .map((model) =>
        say("trap", {
          trap: model.name,
          situation: model.situation,
          model: advised.name,
          there: rateOf(model, demand, Math.min(processes, demand.db_connections)),
          rate,
          processes,
        }),
      )
      .filter(({ values }) => rate > D.practical_margin * values.there);
  }

  function notes(decision, demand) {
    const found = decision.rows.map((row) => row.prediction);
    const said = [say("margin", { margin: D.practical_margin })];
    if (decision.rows.some((row) => row.rank === null)) said.push(say("unranked"));
    if (!found.every((one) => one.keeps_slo)) said.push(say("late", { slo_ms: demand.slo_s * 1e3 }));
    if (!found.every((one) => one.fits)) said.push(say("too_large"));
    return said;
  }

  return { advice, notes };
})();
