"""`list` and `show`: which audits, data sets, models, protocols and suites there are, and what one of them is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from workbench.cli.options import JsonOption
from workbench.cli.output import write, write_json, write_rows
from workbench.errors import unknown_name

KINDS = ("attacks", "audits", "datasets", "models", "protocols", "suites")
ProtocolOption = Annotated[str | None, typer.Option("--protocol", help="Show this protocol of the audit.")]


def list_(
    kind: Annotated[str, typer.Argument(help="attacks, audits, datasets, models, protocols or suites.")] = "audits",
    tag: Annotated[
        str | None, typer.Option("--tag", help="Only entries with this tag or first word, such as bias.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List pixel attacks, audits, data sets, models, protocols or suites."""
    if kind not in KINDS:
        raise unknown_name("kind", kind, KINDS)
    rows = [row for row in _rows(kind) if tag is None or tag in (*row.get("tags", ()), str(row["key"]).split("/")[0])]
    if as_json:
        write_json(rows)
        return
    write_rows(("key", "title"), [(row["key"], row["title"]) for row in rows])


def show(
    name: Annotated[str, typer.Argument(help="The key of an audit, a data set or a suite.")],
    protocol: ProtocolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what an audit asks, what it needs, how to read it, and its limits."""
    facts = _facts(name, protocol)
    if as_json:
        write_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, str) and "\n" in value:
            write(f"\n{key}:\n{value.strip()}")
        elif isinstance(value, list | tuple):
            write(f"{key}: {', '.join(map(str, value)) or 'none'}")
        else:
            write(f"{key}: {value}")


def _rows(kind: str) -> list[dict[str, Any]]:
    from audits import catalogue

    if kind == "audits":
        names = ("key", "title", "question", "version", "protocols", "needs", "tags")
        return [
            {**{name: getattr(row, name) for name in names}, "dataset": row.builtin}
            for row in catalogue.AUDITS.values()
        ]
    if kind == "datasets":
        from audits.datasets.builtin import BUILTIN
        from audits.datasets.readers import TITLES

        own = [{"key": row.key, "title": row.about.title, "version": row.version} for row in BUILTIN]
        return [*own, *({"key": f"{kind}:PATH", "title": title} for kind, title in TITLES.items())]
    if kind == "models":
        from workbench.checkpoints import checkpoints

        return [{"key": row.key, "title": row.title, "trained_on": row.trained_on} for row in checkpoints()]
    if kind == "attacks":
        from workbench.attacks import ATTACKS

        return [{"key": row.key, "title": row.title, "source": row.source} for row in ATTACKS.values()]
    if kind == "suites":
        from audits.running import suites

        return [{"key": name, "title": suites.read(name).title} for name in suites.names()]
    return [
        {"key": f"{row.key} {name}", "title": (rules := catalogue.read_protocol(row, name)).title, "hash": rules.hash}
        for row in catalogue.AUDITS.values()
        for name in catalogue.protocol_names(row)
    ]


def _facts(name: str, named: str | None) -> dict[str, Any]:
    from audits import catalogue
    from audits.datasets.builtin import BUILTIN
    from audits.running import suites

    sets = {row.key: row for row in BUILTIN}
    if named is None and name.removeprefix("builtin:") in sets:
        row = sets[name.removeprefix("builtin:")]
        return {"key": row.key, "title": row.about.title, "version": row.version}
    if named is None and name in suites.names():
        return suites.read(name).model_dump(mode="json", by_alias=True)
    audit = catalogue.find(name)
    if named is not None:
        rules = catalogue.read_protocol(audit, named)
        return {"hash": rules.hash, **rules.model_dump(mode="json", by_alias=True)}
    from audits.stages import stages

    module = stages(audit)
    facts = {key: value for key, value in asdict(audit).items() if key != "module"}
    return {
        **facts,
        "settings": list(module.Settings.model_fields),
        "how_to_read": module.HOW_TO_READ,
        "limits": module.LIMITS,
    }
