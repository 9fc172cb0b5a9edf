/* Where does one model overtake another? The fields of the map, and what the map says in words. */
"use strict";
const decideCrossover = (() => {
  const { say, text } = decideSentences;
  const { known } = decideVerdict;
  const { decide } = decideRank;
  const { demandOf } = decideFigures;
  const WAITS_MS = [0, 5, 10, 20, 35, 50, 75, 100, 125, 150, 200];
  const IN_FLIGHT = [5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 1];
  const NO_DIFFERENCE = text(say("map_no_difference"));

  /* A row of fields: as many requests at once, and every wait; else the form's figures. */
  const rowOf = (values, waitName, count) => WAITS_MS.map((wait) => fieldOf(values, waitName, wait, count));

  function fieldOf(values, waitName, wait, count) {
    const described = { ...values, rate: undefined, concurrency: count, [waitName]: wait };
    if (waitName === "db_wait_ms") described.queries = Math.max(1, values.queries);
    const { rows } = decide(demandOf(described), (model) => model.flask);
    const best = rows.filter((row) => row.rank === 1).map((row) => row.prediction.model);
    return { wait, count, best, label: labelOf(best), rate: rows.length ? rows[0].prediction.capacity_rps : 0 };
  }

  function labelOf(best) {
    if (best.length === 1) return best[0];
    const apps = [...new Set(best.map((name) => known.get(name).app))];
    return apps.length === 1 ? text(say("map_several", { app: apps[0] })) : NO_DIFFERENCE;
  }

  const labelsOf = (fields) =>
    [...new Set(fields.map((field) => field.label))].sort(
      (one, other) => (one === NO_DIFFERENCE) - (other === NO_DIFFERENCE) || one.localeCompare(other),
    );

  function fieldText({ best, ...field }) {
    return text(best.length > 1 ? say("map_field_of_several", { ...field, models: best }) : say("map_field", field));
  }

  /* Where each label is; one that is everywhere makes a sentence of its own, which stands for the map. */
  function inWords(fields) {
    const labels = labelsOf(fields);
    const areas = labels.map((label) => {
      const mine = fields.filter((field) => field.label === label);
      const waits = mine.map((field) => field.wait), counts = mine.map((field) => field.count);
      return { label, waits, counts, fields: mine.length, all: fields.length };
    });
    if (areas.length === 1) return text(say("map_one_value", areas[0]));
    return text(say("map_in_words", { areas: areas.map((area) => text(say("map_area", area))).join("; ") }));
  }

  return { WAITS_MS, IN_FLIGHT, NO_DIFFERENCE, rowOf, labelsOf, fieldText, inWords };
})();
