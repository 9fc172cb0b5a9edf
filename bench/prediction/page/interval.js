/* t_interval of bench/judging/statistics.py once more. */
"use strict";
const decideInterval = (() => {
  const { quantiles } = decideData;
  const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

  function interval(candidate, baseline) {
    const logs = candidate.map((value, index) => Math.log(value / baseline[index]));
    const count = logs.length, middle = mean(logs);
    const deviation = Math.sqrt((mean(logs.map((log) => (log - middle) ** 2)) * count) / (count - 1));
    const half = (quantiles[count] * deviation) / Math.sqrt(count);
    return { ratio: Math.exp(middle), low: Math.exp(middle - half), high: Math.exp(middle + half) };
  }

  return { interval };
})();
