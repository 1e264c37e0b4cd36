"""Rows of a stress campaign, and their table."""

from collections.abc import Sequence
from pathlib import Path

from rnn_jax.reporting.rows import Record, read_rows
from rnn_jax.reporting.tables import markdown


def load_stress(file: Path) -> list[Record]:
    """Reads the rows, one for every kill and every damage; see `read_rows` for errors."""
    return read_rows(
        file, lambda row: row["saving"] if row["kind"] == "kill" else (row["damage"], row["found"])
    )


def stress_table(rows: Sequence[Record]) -> str:
    """A line for each kind of what was done: how often, whether it was noticed, and what runs ended with."""
    lines = [["what was done", "times", "found", "runs ended", "bit-identical"]]
    kinds: dict[str, list[Record]] = {}
    for row in rows:
        kinds.setdefault(_kind(row), []).append(row)
    for kind, own in kinds.items():
        found = [row["found"] for row in own if "found" in row]
        # The kills of one run all share its end.
        ends = {
            row.get("run", number): row["differences"]
            for number, row in enumerate(own)
            if "differences" in row
        }
        lines.append(
            [
                kind,
                str(len(own)),
                str(sum(found)) if found else "–",
                str(len(ends)),
                str(sum(not end for end in ends.values())) if ends else "–",
            ]
        )
    return markdown(lines)


def _kind(row: Record) -> str:
    if row["kind"] == "damage":
        return f"a file of the newest checkpoint {row['damage']}"
    return "SIGKILL in the middle of a save" if row["saving"] else "SIGKILL at another moment"
