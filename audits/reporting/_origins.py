"""Where a run's numbers come from, and its words: provenance, packages, protocol, what the audit says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from audits.reporting._text import html, visible
from audits.run_directory.reader import Run


def provenance(run: Run) -> list[tuple[str, str]]:
    """Return where a run's numbers come from, as names and values."""
    head = run.header.model_dump(mode="json")
    spec, hashes, data = head["spec"], head["hashes"], head["dataset"]
    facts = [("run", run.run_id), ("status", run.status)]
    facts += [("started", run.header.created), ("finished", run.header.finished)]
    facts += [(f"hash of the {name}", value) for name, value in hashes.items()]
    facts += [(name.replace("_", " "), value) for name, value in spec.items() if name not in ("title", "question")]
    facts += [(f"data: {name}", data[name]) for name in ("key", "title", "licence", "source", "n") if name in data]
    facts += [(f"model: {name.replace('_', ' ')}", value) for name, value in head["model"].items()]
    for part, values in head["provenance"].items():
        if part != "packages":
            facts += list(_flat(str(part), values))
    for name, stage in head["stages"].items():
        facts += list(_flat(f"stage {name}", stage))
    rows = [(visible(name, 80), visible(value, 400)) for name, value in facts if value not in ("", None, [], {})]
    return list(dict.fromkeys(rows))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}: {str(key).replace('_', ' ')}", inner)
    elif isinstance(value, list | tuple):
        yield name, " ".join(map(str, value))
    else:
        yield name, value


def packages(run: Run) -> list[str]:
    """Return every installed distribution with its version."""
    return [visible(f"{name} {version}", 80) for name, version in run.provenance.packages.items()]


def words(run: Run) -> dict[str, Any]:
    """Return the protocol word for word."""
    rules = run.protocol
    sets = [
        {
            "name": visible(name),
            "labels": [visible(label, 500) for label in one.get("labels", ())],
            "groups": [
                (visible(group), visible(", ".join(map(str, members)), 2000))
                for group, members in one.get("groups", {}).items()
            ],
        }
        for name, one in (rules.get("label_sets") or {}).items()
    ]
    facts = [
        ("version", rules.get("version")),
        ("hash", run.header.hashes.protocol),
        ("decision", rules.get("decision")),
    ]
    facts += [("source", rules.get("source")), ("notes", rules.get("notes"))]
    facts += [(f"setting: {name}", value) for name, value in (rules.get("settings") or {}).items()]
    return {
        "key": run.header.hashes.protocol or str(rules.get("name")),
        "title": visible(f"{run.audit}: {rules.get('title') or rules.get('name')}"),
        "warning": visible(rules.get("content_warning") or "", 600),
        "templates": [visible(text, 500) for text in rules.get("templates") or ()],
        "sets": sets,
        "facts": [(visible(name, 80), visible(value, 2000)) for name, value in facts if value not in (None, "")],
    }


def prose(run: Run) -> dict[str, Markup]:
    """Return the audit's and the data set's own words as HTML."""
    texts = {name: html(run.texts.get(name, "")) for name in ("how_to_read", "limits")}
    return {**texts, "shows": html(str(run.header.dataset.shows))}
