"""Writing a speed report: page, Markdown, JSON and a CSV file a table, each whole or not there at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.model.faults import one_fault
from simulator.report.speed_json import speed_json
from simulator.report.speed_markdown import speed_markdown
from simulator.report.speed_page import speed_html
from simulator.report.speed_tables import csv_text, tables
from simulator.report.write import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from simulator.study.speed_findings import Judged

FILES = ("speed.html", "speed.md", "speed.json")


def write_speed(folder: Path, judged: Judged) -> list[Path]:
    """Write the report to a folder, made where it is missing; return its files.

    The same findings give the same bytes. Raises `FileFaults` where the folder cannot take them.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise one_fault(str(folder), f"cannot be made ({error.strerror})") from None
    texts = {
        "speed.html": speed_html(judged),
        "speed.md": speed_markdown(judged),
        "speed.json": speed_json(judged),
        **{f"speed-{table.name}.csv": csv_text(table) for table in tables(judged.findings)},
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]
