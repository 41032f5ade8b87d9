"""Compares two catalogs and writes the result as a page."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
# Differences that were decided on; see docs/decisions/.
REASONS = {
    ("average_session_length.date", "format"): "decision 2: the values are days, as they always were",
}


def types_of(schema: Schema) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def compare_fields(theirs: Schema, ours: Schema, path: str) -> list[tuple[str, str, str]]:
    """(path, kind, text) of each difference below a field; kinds: missing, narrower, format, wider, added, annotated."""
    found = []
    lost = [name for name in types_of(theirs) if name not in types_of(ours)]
    gained = [name for name in types_of(ours) if name not in types_of(theirs)]
    if lost:
        found.append((path, "narrower", f"not {', '.join(lost)} any more"))
    if gained:
        found.append((path, "wider", f"also {', '.join(gained)}"))
    if theirs.get("format") != ours.get("format"):
        found.append((path, "format", f"`{theirs.get('format')}` became `{ours.get('format')}`"))
    if theirs.get("airbyte_type") != ours.get("airbyte_type"):
        found.append((path, "annotated", f"`airbyte_type` `{ours.get('airbyte_type')}`"))
    our_properties = ours.get("properties", {})
    for name, schema in theirs.get("properties", {}).items():
        if name in our_properties:
            found += compare_fields(schema, our_properties[name], f"{path}.{name}")
        else:
            found.append((f"{path}.{name}", "missing", "missing"))
    for name in our_properties:
        if name not in theirs.get("properties", {}):
            found.append((f"{path}.{name}", "added", "new"))
    if "items" in theirs:
        found += compare_fields(theirs["items"], ours.get("items", {}), f"{path}[]")
    return found


def compare_streams(theirs: Schema, ours: Schema) -> list[tuple[str, str, str]]:
    name = theirs["name"]
    found = compare_fields(theirs["json_schema"], ours["json_schema"], name)
    for key in ("source_defined_primary_key", "default_cursor_field", "source_defined_cursor", "namespace"):
        if theirs.get(key) != ours.get(key):
            found.append((name, "missing", f"{key} {theirs.get(key)} became {ours.get(key)}"))
    lost = set(theirs["supported_sync_modes"]) - set(ours["supported_sync_modes"])
    if lost:
        found.append((name, "missing", f"sync mode {', '.join(sorted(lost))}"))
    return found


def losses(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """What is missing, narrower or of another format, and not decided on."""
    return [entry for entry in found if entry[1] in ("missing", "narrower", "format") and entry[:2] not in REASONS]


def count_fields(schema: Schema) -> int:
    return len(schema.get("properties", {}))


def describe(stream: Schema) -> str:
    key = ", ".join(".".join(path) for path in stream.get("source_defined_primary_key") or [])
    cursor = ".".join(stream.get("default_cursor_field") or []) or "none"
    return f"`{key}` | `{cursor}` | {', '.join(stream['supported_sync_modes'])}"


def write_page(theirs: list[Schema], ours: list[Schema], version: str) -> str:
    our_streams = {stream["name"]: stream for stream in ours}
    their_names = [stream["name"] for stream in theirs]
    lines = [
        "# Comparison with Airbyte's connector",
        "",
        f"Written by `npm run test:airbyte -- --write-comparison` from what `discover` of `airbyte-source-amplitude` {version} and of",
        "this connector print. A test fails when it is not current, and when anything of theirs is missing, narrower or of another",
        "format without a reason given here.",
        "",
        "| Stream | Fields there | Fields here | Primary key | Cursor | Sync modes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for stream in theirs:
        mine = our_streams[stream["name"]]
        lines.append(
            f"| `{stream['name']}` | {count_fields(stream['json_schema'])} | {count_fields(mine['json_schema'])} | {describe(mine)} |"
        )
    for name, mine in our_streams.items():
        if name not in their_names:
            lines.append(f"| `{name}` | none | {count_fields(mine['json_schema'])} | {describe(mine)} |")
    lines += ["", "Keys, cursors and sync modes are the same wherever both have the stream.", "", "## Differences", ""]
    lines += ["| Field | Difference | Reason |", "| --- | --- | --- |"]
    reasons = {
        "wider": "Amplitude sends such values, too",
        "added": "documented by Amplitude, or delivered by the newer version of its API",
        "annotated": "says what `date-time` means without it",
    }
    for stream in theirs:
        for path, kind, text in compare_streams(stream, our_streams[stream["name"]]):
            lines.append(f"| `{path}` | {text} | {REASONS.get((path, kind), reasons.get(kind, ''))} |")
    return "\n".join(lines) + "\n"
