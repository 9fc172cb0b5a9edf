"use strict";
/* The matrix for another baseline: as bench/report/page/matrix.py has it, from pairs that were compared there. */
(() => {
  const { models, fields, stronger, margin } = report.data.matrix;
  const HIGHER = 1, LOWER = -1, TIE = 0, FEW = 2;
  const pairs = fields.map((field) => new Map(field.pairs.map(([one, other, ratio, verdict]) => [`${one}/${other}`, [ratio, verdict]])));

  function compared(place, model, base) {
    const found = pairs[place].get(`${model}/${base}`);
    if (found) return found;
    const mirrored = pairs[place].get(`${base}/${model}`);
    if (mirrored) return [1 / mirrored[0], [HIGHER, LOWER].includes(mirrored[1]) ? -mirrored[1] : mirrored[1]];
    const { medians } = fields[place];
    return [medians[base] ? medians[model] / medians[base] : null, FEW];
  }

  function level(better) {
    const ratio = Math.max(better, 1 / better);
    return (better > 1 ? "b" : "w") + (1 + stronger.filter((limit) => ratio >= limit).length);
  }

  function shown(place, model, base) {
    if (model === base) return { text: "1", classes: ["base"], says: "baseline" };
    const [ratio, verdict] = compared(place, model, base);
    if (!ratio) return { text: "–", classes: ["alone"], says: "the baseline has no valid figure" };
    const better = fields[place].higher ? ratio : 1 / ratio;
    const text = `${ratio.toFixed(2)} ×`;
    if (verdict === TIE) return { text: `≈ ${text}`, classes: ["tie"], says: "no difference shown" };
    if (verdict === FEW) {
      const coloured = Math.max(better, 1 / better) > margin;
      return { text, classes: ["unsure", ...(coloured ? [level(better)] : [])], says: "no verdict" };
    }
    const kind = better > 1 ? "better" : "worse";
    return { text, classes: [kind, level(better)], says: kind };
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
  baseline.addEventListener("change", () => pick(baseline.selectedIndex));
  const columns = document.getElementById("columns");
  columns.addEventListener("change", () => {
    for (const cell of document.querySelectorAll(".matrix [data-scenario]")) {
      cell.hidden = columns.value !== "" && cell.dataset.scenario !== columns.value;
    }
  });
  if (baseline.value !== report.data.base) pick(baseline.selectedIndex);
})();
