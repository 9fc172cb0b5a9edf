/* The form of the calculator: numbers and sliders that move each other, and the figures that they give. */
"use strict";
const decideForm = (() => {
  const { figures, facts, choices } = decideData;
  const { say, text } = decideSentences;
  const { byId } = decidePage;
  const LOADS = ["concurrency", "rate"];
  const SLIDER_STEPS = 1000;

  /* Sliders are finer where figures are small. */
  const fromSlider = (one, step) => {
    const value = one.low + (one.usual - one.low) * (step / SLIDER_STEPS) ** 2;
    const least = one.above ? one.usual / SLIDER_STEPS : one.low;
    return one.whole ? Math.round(value) : Math.max(least, Number(value.toPrecision(3)));
  };
  const toSlider = (one, value) =>
    Math.round(SLIDER_STEPS * Math.sqrt(Math.min(1, Math.max(0, (value - one.low) / (one.usual - one.low)))));

  const rests = (name) =>
    LOADS.includes(name) && name !== document.querySelector('input[name="decide-load"]:checked').value;

  /* Throws a RangeError that says what a figure may be. */
  function read() {
    const values = {};
    for (const one of figures) {
      if (rests(one.name)) continue;
      const input = byId(one.name);
      const value = input.valueAsNumber;
      const right = input.validity.valid && (!one.above || value > one.low);
      input.setAttribute("aria-invalid", String(!right));
      if (!right) throw new RangeError(text(say(`out_of_range${one.whole ? "_whole" : one.above ? "_above" : ""}`, one)));
      values[one.name] = value;
    }
    for (const fact of facts) values[fact] = byId(fact).checked;
    for (const choice of choices) values[choice] = byId(choice).value;
    return values;
  }

  /* What the reader does not choose rests; screen readers are told the figure that a slider stands for. */
  function tidy() {
    for (const one of figures) {
      const slider = byId(`${one.name}-slider`);
      slider.setAttribute("aria-valuetext", byId(one.name).value);
      for (const input of [slider, byId(one.name)]) input.disabled = rests(one.name);
    }
  }

  function set(name, value) {
    byId(name).value = value;
    byId(`${name}-slider`).value = toSlider(figures.find((one) => one.name === name), Number(value));
  }

  /* The figures of a field of the map. */
  function take(waitName, wait, count) {
    set(waitName, wait);
    set("concurrency", count);
    if (waitName === "db_wait_ms" && byId("queries").value === "0") set("queries", 1);
    document.querySelector('input[name="decide-load"][value="concurrency"]').checked = true;
  }

  function connect(changed) {
    for (const one of figures) {
      const [input, slider] = [byId(one.name), byId(`${one.name}-slider`)];
      set(one.name, one.default);
      slider.addEventListener("input", () => {
        input.value = fromSlider(one, slider.valueAsNumber);
      });
      input.addEventListener("input", () => {
        slider.value = toSlider(one, input.valueAsNumber || 0);
      });
    }
    let pending = 0;
    byId("form").addEventListener("input", () => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(changed);
    });
    byId("form").addEventListener("submit", (event) => event.preventDefault());
  }

  return { connect, read, take, tidy };
})();
