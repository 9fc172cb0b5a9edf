"use strict";
/* The matrix for another baseline. Every pair's outcome was decided in bench/judging; here its code is looked up. */
(() => {
  const { models, fields, kinds, notComparable } = report.data.matrix;
  const pairs = fields.map((field) => new Map(field.pairs.map(([one, other, ...found]) => [`${one}/${other}`, found])));

  function compared(place, model, base) {
    const found = pairs[place].get(`${model}/${base}`);
    if (found) return found;
    const mirrored = pairs[place].get(`${base}/${model}`);
    if (mirrored) return [1 / mirrored[0], kinds[mirrored[1]].opposite, mirrored[2]];
    const { medians } = fields[place];
    return [medians[base] ? medians[model] / medians[base] : null, notComparable, 0];
  }

  function shown(place, model, base) {
    if (model === base) return { text: "1", classes: ["base"], says: "baseline" };
    const [ratio, code, strength] = compared(place, model, base);
    if (!ratio) return { text: "–", classes: ["alone"], says: "the baseline has no valid figure" };
    const kind = kinds[code];
    const classes = kind.colour ? [kind.class, kind.colour + strength] : [kind.class];
    return { text: `${kind.before}${ratio.toFixed(2)} ×`, classes, says: kind.says };
  }

  function pick(base) {
    for (const row of document.querySelectorAll(".matrix tbody tr")) {
      const model = Number(row.cells[0].dataset.model);
      for (const cell of row.querySelectorAll("td")) {
        const text = cell.querySelector("b");
        if (!text) continue;
        const found = shown(Number(cell.dataset.field), model, base);
        text.textContent = found.text;
        cell.querySelector(".hidden").textContent = ` ${found.says},`;
        cell.className = ["cell", ...found.classes].join(" ");
      }
    }
    document.querySelector(".base-name").textContent = models[base];
  }

  const baseline = document.getElementById("baseline");
  if (!baseline) return; // nothing was measured
  baseline.addEventListener("change", () => pick(baseline.selectedIndex));
  const columns = document.getElementById("columns");
  columns.addEventListener("change", () => {
    for (const cell of document.querySelectorAll(".matrix [data-scenario]")) {
      cell.hidden = columns.value !== "" && cell.dataset.scenario !== columns.value;
    }
  });
  if (baseline.value !== report.data.base) pick(baseline.selectedIndex);
})();
