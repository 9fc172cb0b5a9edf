/* demand_of of bench/prediction/figures.py once more: from the figures of the form to a demand in seconds and bytes. */
"use strict";
const decideFigures = (() => {
  const demandOf = (values) => ({
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
    connection: values.connection,
    data_layer: values.data_layer,
    all_rows: false,
    ...Object.fromEntries(decideData.facts.map((fact) => [fact, Boolean(values[fact])])),
  });

  return { demandOf };
})();
