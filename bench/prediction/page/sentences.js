/* bench/prediction/sentences.py once more: fills the templates of sentences.toml in. */
"use strict";
const decideSentences = (() => {
  const { sentences, named } = decideData;
  const PLACE = /\{(\w+)(?::([^}]+))?\}/g;

  const say = (code, values = {}) => ({ code, values });

  const text = ({ code, values }) =>
    sentences[code].replace(PLACE, (_, name, style) => written(values[name], style ?? "text"));

  const join = (all) => all.map(text).join(" ");

  function written(value, style) {
    if (!style.includes("|")) return STYLES[style](value);
    const [one, many] = style.split("|");
    return `${whole(value)} ${value === 1 ? one : many}`;
  }

  function rounded(value, decimals) {
    const power = 10 ** decimals;
    const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    return (Math.floor(value * power + 0.5) / power).toLocaleString("en-US", digits);
  }

  const whole = (value) => rounded(value, 0);
  const figure = (value) => rounded(value, value >= 99.5 ? 0 : 1);
  const ratio = (value) => rounded(value, 2);

  function listed(names) {
    const shown = names.length > named ? [...names.slice(0, named), `${names.length - named} more`] : names;
    return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : shown[0];
  }

  const span = (values) => [...new Set([Math.min(...values), Math.max(...values)].map(whole))].join(" to ");

  const STYLES = { text: String, whole, figure, ratio, names: listed, range: span };

  return { say, text, join, whole, figure };
})();
