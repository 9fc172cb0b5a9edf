/* bench/prediction/rank.py, advice.py and demand_of of figures.py once more, and of bench/judging/statistics.py the interval. */
"use strict";
const benchDecide = (() => {
  const { D, sum, stationOf, throughput, predict, capacities } = decidePredict;
  const known = new Map(D.models.map((model) => [model.name, model]));

  function median(values) {
    const sorted = [...values].sort((one, other) => one - other);
    const half = Math.floor(sorted.length / 2);
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  function withoutSpoilt(logs) {
    const middle = median(logs);
    const away = logs.map((log) => Math.abs(log - middle));
    const most = Math.max(...away);
    const limit = Math.max(D.spoilt_deviations * D.mad_to_sigma * median(away), Math.log(D.practical_margin));
    if (logs.length <= D.min_rounds || most <= limit) return logs;
    return logs.filter((_, index) => index !== away.indexOf(most));
  }

  function interval(candidate, baseline) {
    const logs = withoutSpoilt(candidate.map((value, index) => Math.log(value / baseline[index])));
    const mean = sum(logs) / logs.length;
    const deviation = Math.sqrt(sum(logs.map((log) => (log - mean) ** 2)) / (logs.length - 1));
    const half = (D.quantiles[logs.length] * deviation) / Math.sqrt(logs.length);
    return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
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

  function ranksOf(order, values, margin) {
    const ranks = new Map();
    let leader = null;
    order.forEach((name, index) => {
      if (leader === null || interval(values.get(name), values.get(leader)).high < 1 / margin) {
        leader = name;
        ranks.set(name, index + 1);
      } else ranks.set(name, ranks.get(leader));
    });
    return ranks;
  }

  function ranking(demand, among) {
    const usable = D.models.filter((model) => !demand.calls || model.calls_s !== null);
    const values = new Map(usable.map((model) => [model.name, capacities(model, demand)]));
    const ranked = usable.filter((model) => !model.trap && !model.twin && among(model));
    const most = Math.max(0, ...ranked.map((model) => model.rounds.length));
    const whole = new Set(ranked.filter((model) => model.rounds.length === most).map((model) => model.name));
    return { usable, values, most, whole, margin: marginOf(values) };
  }

  /* `among`: which models are ranked; all are predicted. */
  function decide(demand, among = () => true) {
    const { usable, values, most, whole, margin } = ranking(demand, among);
    const predictions = usable.filter((model) => !model.twin).map((model) => predict(model, demand));
    predictions.sort(
      (one, other) => whole.has(other.model) - whole.has(one.model) || other.capacity_rps - one.capacity_rps,
    );
    const order = predictions.map((prediction) => prediction.model).filter((name) => whole.has(name));
    const ranks = most >= D.min_rounds ? ranksOf(order, values, margin) : new Map();
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

  const whole = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 0 });
  const figure = (value) => (value >= 99.5 ? whole(value) : value.toFixed(1));
  const plural = (count, noun, ending = "s") => `${whole(count)} ${noun}${count === 1 ? "" : ending}`;

  function listed(names) {
    const shown = names.length > D.named ? [...names.slice(0, D.named), `${names.length - D.named} more`] : names;
    return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : shown[0];
  }

  const needs = (prediction) =>
    `${plural(prediction.processes, "process", "es")} and ${figure(prediction.memory_bytes / 1e6)} MB`;

  function taken(advised, others) {
    const text = `${advised.model} needs ${needs(advised)}`;
    const most = [advised, ...others].reduce((one, other) => (other.memory_bytes > one.memory_bytes ? other : one));
    return most === advised ? `${text}.` : `${text}; ${most.model} needs ${needs(most)}.`;
  }

  function tie(best, names, demand) {
    const ratios = best.map((row) => row.to_best).filter((ratio) => ratio !== null);
    const percent = Math.max(1, ...ratios.map(({ low, high }) => Math.ceil(100 * Math.max(1 - low, high - 1))));
    const rate = `about ${figure(best[0].prediction.capacity_rps)}/s, at most ${percent} % apart`;
    const both = best.length === 2 ? "both" : "all";
    const same = `${listed(names)} ${both} come to ${rate}, whatever their concurrency model.`;
    const only = (limit) => best.every((row) => row.prediction.limit === limit);
    if (only("connections")) return `Your ${plural(demand.db_connections, "connection")} bind: ${same}`;
    if (only("load")) return `The waits themselves bind: ${same}`;
    return `${listed(names)} cannot be told apart: ${rate}.`;
  }

  function won(ranked) {
    const best = ranked[0].prediction;
    let text = `${best.model} does most: ${figure(best.capacity_rps)}/s`;
    const second = ranked.find((row) => row.rank !== 1 && row.to_best !== null);
    if (second) {
      const { ratio, low, high } = second.to_best;
      text += `, ${(1 / ratio).toFixed(2)} times ${second.prediction.model}`;
      text += ` (${(1 / high).toFixed(2)} to ${(1 / low).toFixed(2)})`;
    }
    return `${text}. It needs ${needs(best)}.`;
  }

  function inOrder(best, demand) {
    const cost = (prediction) => {
      const model = known.get(prediction.model);
      return [
        !prediction.fits,
        demand.streaming && (model.streams === false || model.threads !== null),
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

  const keeps = (prediction, demand) =>
    prediction.fits && prediction.keeps_slo && demand.rate_rps <= D.restart_margin * prediction.capacity_rps;

  function keeping(ranked, demand) {
    const kept = ranked.map((row) => row.prediction).filter((prediction) => keeps(prediction, demand));
    const promise = `${figure(demand.rate_rps)}/s with p99 below ${figure(demand.slo_s * 1e3)} ms`;
    if (!kept.length) {
      const best = ranked.filter((row) => row.rank === 1);
      const names = inOrder(best.map((row) => row.prediction), demand).map((prediction) => prediction.model);
      const most = best.length > 1 ? tie(best, names, demand) : won(ranked);
      return verdict("none", [], `No model keeps ${promise} and a quarter to spare. ${most}`);
    }
    const [advised, ...others] = inOrder(kept, demand);
    if (!others.length) return verdict("winner", [advised], `Only ${advised.model} keeps ${promise}. ${taken(advised, [])}`);
    const names = listed([advised, ...others].map((prediction) => prediction.model));
    const text =
      kept.length < ranked.length
        ? `${kept.length} of ${ranked.length} models keep ${promise}: ${names}.`
        : `All ${ranked.length} models keep ${promise}, whatever their concurrency model.`;
    return verdict("tie", [advised, ...others], `${text} ${taken(advised, others)}`);
  }

  const verdict = (kind, best, sentence) => ({
    kind,
    models: best.map((prediction) => prediction.model),
    advised: best.length ? best[0].model : null,
    sentence,
  });

  function verdictOf(rows, demand) {
    const ranked = rows.filter((row) => row.rank !== null);
    if (!rows.length) return verdict("nothing measured", [], "No model has the cells that a prediction needs.");
    if (!ranked.length) {
      return verdict("too few rounds", [], `Fewer than ${D.min_rounds} rounds of each model: figures only, no winner.`);
    }
    if (demand.rate_rps !== null) return keeping(ranked, demand);
    const best = ranked.filter((row) => row.rank === 1);
    const [advised, ...others] = inOrder(best.map((row) => row.prediction), demand);
    if (!others.length) return verdict("winner", [advised], won(ranked));
    const names = [advised, ...others].map((prediction) => prediction.model);
    return verdict("tie", [advised, ...others], `${tie(best, names, demand)} ${taken(advised, others)}`);
  }

  /* advice.py */

  function advice(decision, demand) {
    const advised = known.get(decision.verdict.advised);
    const found = [];
    if (advised && !advised.known_app) {
      found.push(`${advised.name} is another framework: the application would have to be written anew.`);
    }
    for (const fact of ["blocking_libraries", "existing_sync_code", "streaming"]) {
      if (demand[fact]) found.push(D.fact_texts[fact]);
    }
    return advised ? [...found, ...traps(advised, decision, demand)] : found;
  }

  function traps(advised, decision, demand) {
    const { processes } = decision.rows.find((row) => row.prediction.model === advised.name).prediction;
    const rateOf = (model, count) => throughput(model, stationOf(model, model.costs, demand), demand, count);
    const less = (model) =>
      model.python_overlaps < advised.python_overlaps ||
      (model.python_overlaps === advised.python_overlaps && model.database_overlaps < advised.database_overlaps);
    return D.models
      .filter((model) => !model.twin && model.app === advised.app && model.on_asyncio === advised.on_asyncio && less(model))
      .map((model) => {
        const there = rateOf(model, Math.min(processes, demand.db_connections));
        return (
          `Trap: ${model.name} (${model.situation}) would do ${figure(there)}/s where ${advised.name} does ` +
          `${figure(rateOf(advised, processes))}/s, with as many processes (${whole(processes)}).`
        );
      });
  }

  /* figures.py */

  function demandOf(values) {
    return {
      db_wait_s: values.queries ? values.db_wait_ms / 1e3 : 0,
      queries: values.queries,
      upstream_wait_s: values.upstream_wait_ms / 1e3,
      cpu_s: values.cpu_ms / 1e3,
      rate_rps: values.rate ?? null,
      concurrency: values.concurrency ?? null,
      db_connections: values.db_connections,
      cores: values.cores,
      memory_bytes: values.memory_mb * 1e6,
      slo_s: values.slo_ms / 1e3,
      calls: values.upstream_wait_ms > 0 ? 1 : 0,
      all_rows: false,
      ...Object.fromEntries(D.facts.map((fact) => [fact, Boolean(values[fact])])),
    };
  }

  return { D, known, decide, advice, demandOf, figure, whole };
})();
