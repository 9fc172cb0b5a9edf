"""A run for other programs: CSV, JSON, Markdown."""

from bench.report.export.csv_export import CSV_COLUMNS, as_csv
from bench.report.export.json_export import as_json
from bench.report.export.markdown_export import as_markdown

__all__ = ["CSV_COLUMNS", "as_csv", "as_json", "as_markdown"]
