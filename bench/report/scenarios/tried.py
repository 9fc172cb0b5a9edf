"""The load of a trial: what a request costs under each model, and how many a second it answers."""

from bench.report.presentation import Column, Presentation

PRESENTATION = Presentation(
    columns=(
        Column("CPU µs", "cpu_per_request_s", 1e6),
        Column("pauses %", "pauses", 1e2),
        Column("req/s", "throughput_rps"),
    )
)
