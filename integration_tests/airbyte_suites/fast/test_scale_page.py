"""The Airflow example of docs/scale.md divides its years without gap or overlap (the rest of the page: test/unit)."""

import re
from datetime import datetime, timezone
from typing import Any

from support.connector import ROOT

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")


def test_the_task_map_covers_three_years_once() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    names: dict[str, Any] = {}
    exec(compile(blocks[0], "docs/scale.md", "exec"), names)  # noqa: S102
    parts = [
        tuple(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc) for text in (part["start_date"], part["end_date"]))
        for part in names["RANGES"]
    ]
    assert len(parts) == 36
    assert parts[0][0] == datetime(2022, 1, 1, tzinfo=timezone.utc)
    assert parts[-1][1] == datetime(2025, 1, 1, tzinfo=timezone.utc)
    # The end is excluded: each part begins where the one before it ends.
    assert [start for start, _ in parts[1:]] == [end for _, end in parts[:-1]]
    assert all(start < end for start, end in parts)
