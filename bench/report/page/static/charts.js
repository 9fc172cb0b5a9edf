"use strict";
/* Draws a chart when it comes near the window, all of them before printing, for which the library is there early. */
(() => {
  const charts = report.data.charts;
  const plots = [...document.querySelectorAll("[data-chart]")];
  const drawn = new Set();
  const NAMED = 8; // more lines cannot be told apart by colour; hovering names the others
  const CONFIG = { displayModeBar: false, responsive: true };
  let library = null;

  function load() {
    library ??= report.unpacked("plotly").then((blob) => blob.text()).then((text) => {
      const script = document.createElement("script");
      script.textContent = text;
      document.head.append(script);
      return window.Plotly;
    });
    return library;
  }

  function themeColours() {
    const probe = document.createElement("span");
    document.body.append(probe);
    const seen = new Map();
    const colour = (name) => {
      if (!seen.has(name)) {
        probe.style.color = `var(--${name})`;
        seen.set(name, getComputedStyle(probe).color);
      }
      return seen.get(name);
    };
    return { colour, done: () => probe.remove() };
  }

  function coloured(value, colour) {
    if (typeof value === "string") return value.startsWith("@") ? colour(value.slice(1)) : value;
    if (Array.isArray(value)) return value.map((one) => coloured(one, colour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, coloured(one, colour)]));
    }
    return value;
  }

  function figure(chart, width) {
    const theme = themeColours();
    const hidden = report.hiddenFamilies();
    const styled = (trace) => ({
      ...trace, marker: coloured(trace.marker, theme.colour), line: coloured(trace.line, theme.colour),
      ...(trace.error_x && { error_x: coloured(trace.error_x, theme.colour) }),
    });
    const kept = chart.traces.filter((trace) => !hidden.has(report.data.families[trace.meta.model]));
    const named = new Set(kept.map((trace) => trace.meta.model).filter((model, place, all) => all.indexOf(model) === place).slice(0, NAMED));
    const traces = kept.map(styled).map((trace) => (!isLine(trace) || named.has(trace.meta.model) ? trace : grey(trace, theme)));
    const lines = { gridcolor: theme.colour("edge"), zerolinecolor: theme.colour("edge"), linecolor: theme.colour("muted") };
    const layout = {
      ...chart.layout,
      xaxis: { ...chart.layout.xaxis, ...lines },
      yaxis: { ...chart.layout.yaxis, ...lines },
      height: heightOf(chart, traces, width),
      margin: { l: 10, r: 16, t: 10, b: 40 },
      font: { family: "system-ui, sans-serif", size: width < 480 ? 11 : 13, color: theme.colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      hoverlabel: { bgcolor: theme.colour("surface"), font: { color: theme.colour("ink") } },
      legend: { orientation: "h", yanchor: "bottom", y: 1.02, x: 0, font: { size: 11 } },
    };
    if (chart.layout.yaxis.categoryarray) {
      const rows = new Set(traces.flatMap((trace) => trace.y));
      const shown = chart.layout.yaxis.categoryarray.filter((row) => rows.has(row));
      Object.assign(layout.yaxis, { categoryarray: shown, range: [shown.length - 0.5, -0.5] });
    }
    theme.done();
    return { traces, layout };
  }

  const isLine = (trace) => trace.mode?.includes("lines") && Boolean(trace.line.dash);

  function grey(trace, theme) {
    const colour = theme.colour("muted");
    return {
      ...trace, showlegend: false, opacity: 0.35, line: { ...trace.line, color: colour, width: 1 },
      marker: { ...trace.marker, color: colour, size: 3 },
    };
  }

  function heightOf(chart, traces, width) {
    if (!chart.layout.showlegend) return chart.height;
    const perRow = Math.max(1, Math.floor(width / 190));
    return chart.height + 20 * Math.ceil(traces.filter((trace) => trace.showlegend !== false).length / perRow);
  }

  async function draw(plot) {
    drawn.add(plot);
    const Plotly = window.Plotly ?? (await load()); // a printer does not wait
    const { traces, layout } = figure(charts[plot.dataset.chart], plot.clientWidth);
    plot.style.height = `${layout.height}px`;
    await Plotly.react(plot, traces, layout, CONFIG);
    plot.dataset.drawn = traces.length;
  }

  const drawAll = () => Promise.all(plots.map(draw));
  const redraw = () => drawn.forEach(draw);
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !drawn.has(entry.target)) draw(entry.target);
    }
  }, { rootMargin: "600px" });
  for (const plot of plots) { // what is drawn later must not move what is below it
    plot.style.height = `${figure(charts[plot.dataset.chart], plot.clientWidth).layout.height}px`;
    near.observe(plot);
  }
  report.on("theme", redraw);
  report.on("families", redraw);
  window.addEventListener("beforeprint", drawAll);
  (window.requestIdleCallback ?? setTimeout)(load);
  report.drawAll = drawAll;
})();
