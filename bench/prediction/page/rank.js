/* bench/prediction/rank.py once more, and `grouped` of bench/judging/statistics.py. */
"use strict";
const decideRank = (() => {
  const D = decideData;
  const { predict, capacities } = decidePredict;
  const { interval } = decideInterval;
  const { verdictOf } = decideVerdict;

  /* `among`: which models are ranked; all are predicted. */
  function decide(demand, among = () => true) {
    const usable = D.models.filter((model) => !demand.calls || model.calls_s !== null);
    const values = new Map(usable.map((model) => [model.name, capacities(model, demand)]));
    const margin = marginOf(values);
    const ranked = usable.filter((model) => !model.trap && !model.twin && among(model));
    const most = Math.max(0, ...ranked.map((model) => model.rounds.length));
    const whole = new Set(ranked.filter((model) => model.rounds.length === most).map((model) => model.name));
    const predictions = usable.filter((model) => !model.twin).map((model) => predict(model, demand));
    predictions.sort(
      (one, other) => whole.has(other.model) - whole.has(one.model) || other.capacity_rps - one.capacity_rps,
    );
    const order = predictions.map((prediction) => prediction.model).filter((name) => whole.has(name));
    const isBelow = (leader, name) => interval(values.get(name), values.get(leader)).high < 1 / margin;
    const ranks = most >= D.min_rounds ? grouped(order, isBelow) : new Map();
    const rows = predictions.map((prediction) => {
      const { model } = prediction;
      const compared = whole.has(model) && model !== order[0] && most > 1;
      return {
        prediction,
        rank: ranks.get(model) ?? null,
        to_best: compared ? interval(values.get(model), values.get(order[0])) : null,
      };
    });
    return { rows, margin, verdict: verdictOf(rows, demand) };
  }

  function marginOf(values) {
    for (const [name, twin] of values) {
      const base = values.get(name.endsWith(D.twin_suffix) ? name.slice(0, -D.twin_suffix.length) : "");
      if (base && base.length === twin.length && twin.length >= D.min_rounds) {
        const { low, high } = interval(twin, base);
        return Math.max(D.practical_margin, high, 1 / low);
      }
    }
    return D.practical_margin;
  }

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

  return { decide };
})();
