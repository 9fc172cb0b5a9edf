"""The bridge: what a request costs; its targets are a table of the terminal (bench/report/terminal/bridge.py)."""

from bench.report.presentation import Column, Presentation
from bench.scenarios.bridge import CPU

PRESENTATION = Presentation(columns=(Column("CPU µs", CPU, 1e6), Column("req/s", "throughput_rps")))
