"""A run's report: one HTML file that works offline, Markdown, JUnit and JSON, all from the same findings."""

from simulator.report.write import FILES, write_reports

__all__ = ["FILES", "write_reports"]
