"""Matched pairs: what a read costs on each data layer under each concurrency model."""

from bench.report.presentation import Column, Presentation

PRESENTATION = Presentation(
    columns=(
        Column("CPU µs", "cpu_per_request_s", 1e6),
        Column("pauses %", "pauses", 1e2),
        Column("req/s", "throughput_rps"),
    ),
)
