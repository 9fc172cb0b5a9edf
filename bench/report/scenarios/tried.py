"""The load of a trial: what a request costs under each model, how many a second it answers, and how long they take.

The response times are those of a closed loop with a few connections, which sends no faster than it is answered.
"""

from bench.report.presentation import Column, Presentation

PRESENTATION = Presentation(
    columns=(
        Column("CPU µs", "cpu_per_request_s", 1e6),
        Column("req/s", "throughput_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p99 ms", "p99_s", 1e3, 1),
    )
)
