/* bench/prediction/rank.py once more, and `grouped` of bench/judging/statistics.py. */
"use strict";
const decideRank = (() => {
  const D = decideData;
  const { predict, capacities } = decidePredict;
  const { interval } = decideInterval;
  const { verdictOf } = decideVerdict;

  /* `among`: which models are ranked; all are predicted. */
  function decide(demand, among = () => true) {
    const usable = D.models.filter((model) => isUsable(model, demand));
    const values = new Map(usable.map((model) => [model.name, capacities(model, demand)]));
    const ranked = usable.filter((model) => !model.trap && among(model));
    const most = Math.max(0, ...ranked.map((model) => model.generations.length));
    const whole = new Set(ranked.filter((model) => model.generations.length === most).map((model) => model.name));
    const predictions = usable.map((model) => predict(model, demand));
    predictions.sort(
      (one, other) => whole.has(other.model) - whole.has(one.model) || other.capacity_rps - one.capacity_rps,
    );
    const order = predictions.map((prediction) => prediction.model).filter((name) => whole.has(name));
    const isBelow = (leader, name) => interval(values.get(name), values.get(leader)).high < 1 / D.practical_margin;
    const ranks = most >= D.fewest_generations ? grouped(order, isBelow) : new Map();
    const rows = predictions.map((prediction) => {
      const { model } = prediction;
      const compared = whole.has(model) && model !== order[0] && most > 1;
      return {
        prediction,
        rank: ranks.get(model) ?? null,
        to_best: compared ? interval(values.get(model), values.get(order[0])) : null,
      };
    });
    return { rows, verdict: verdictOf(rows, demand) };
  }

  const hasLayer = (model, demand) =>
    !demand.queries || demand.data_layer === D.answers.own || demand.data_layer in model.layers;

  const isUsable = (model, demand) => (!demand.calls || model.calls_s !== null) && hasLayer(model, demand);

  function grouped(order, apart) {
    const ranks = new Map();
    let leader = null;
    order.forEach((name, index) => {
      if (leader === null || apart(leader, name)) {
        leader = name;
        ranks.set(name, index + 1);
      } else ranks.set(name, ranks.get(leader));
    });
    return ranks;
  }

  return { decide, hasLayer, isUsable };
})();
