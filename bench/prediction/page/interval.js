/* t_interval of bench/judging/statistics.py once more, and the median that it needs. */
"use strict";
const decideInterval = (() => {
  const D = decideData;
  const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

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
    const count = logs.length, middle = mean(logs);
    const deviation = Math.sqrt((mean(logs.map((log) => (log - middle) ** 2)) * count) / (count - 1));
    const half = (D.quantiles[count] * deviation) / Math.sqrt(count);
    return { ratio: Math.exp(middle), low: Math.exp(middle - half), high: Math.exp(middle + half) };
  }

  return { interval };
})();
