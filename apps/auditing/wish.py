"""What a visitor asks for, read from the form into jobs; and what must be said before a job is begun.

Knows no widget. Uploads go to a private folder, and are read by the same readers as anybody's folder or CSV.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml
from gradio.utils import get_upload_folder

from audits import catalogue, protocol
from audits.protocol import Protocol
from audits.running.jobs import Job, make
from workbench.batch.sources import open_bundle
from workbench.errors import BadInput

BUILTIN, UPLOAD = "built-in", "mine"
MOST_PICTURES = 2000  # of files that are uploaded one by one; a zip has its own, smaller limit


@dataclass(frozen=True)
class Wish:
    """The form, as it was filled in."""

    audits: tuple[str, ...]
    models: tuple[str, ...]
    data: str = BUILTIN  # or UPLOAD
    files: tuple[str, ...] = ()
    table: str = ""  # a CSV that says what the files show
    protocol: str = ""  # name of a shipped one; "" for each audit's first
    text: str = ""  # the protocol as edited; "" where it was not
    seed: int = 0
    limit: int = 0  # pictures; 0 for all
    read: bool = False  # the content warning was confirmed


def jobs(wish: Wish) -> list[Job]:
    """Return the jobs that a form stands for.

    Raises:
        BadInput: nothing chosen, a warning not confirmed, a protocol or data that cannot be used.
    """
    if not wish.audits or not wish.models:
        raise BadInput("Choose at least one audit and one model.")
    rules = {key: _rules(key, wish) for key in wish.audits}
    if (warning := warnings(list(rules.values()))) and not wish.read:
        raise BadInput(f"Please read the warning, and tick that you have: {warning}")
    reference = uploaded(wish.files, wish.table) if wish.data == UPLOAD else None
    return [
        make(key, model, reference, rules=rules[key], options={"seed": wish.seed, "limit": wish.limit or None})
        for key in wish.audits
        for model in wish.models
    ]


def chosen_protocol(audits: Sequence[str], name: str) -> Protocol | None:
    """Return the protocol that the form shows: only where exactly one audit is chosen."""
    if len(audits) != 1:
        return None
    known = protocol.names(audits[0])
    return protocol.read(audits[0], name if name in known else catalogue.find(audits[0]).protocols[0])


def warnings(rules: Sequence[Protocol]) -> str:
    """Return what must be read before protocols with derogatory or otherwise heavy labels are shown or run."""
    return " ".join(dict.fromkeys(one.content_warning.strip() for one in rules if one.content_warning.strip()))


def intended_use(audits: Sequence[str]) -> str:
    """Return the limits of use of the chosen audits, as Markdown."""
    return "\n\n".join(dict.fromkeys(text for key in audits if (text := catalogue.find(key).intended_use.strip())))


def as_text(rules: Protocol) -> str:
    """Return a protocol as the YAML that a visitor edits."""
    kept = rules.model_dump(mode="json", by_alias=True, exclude={"published"})
    return str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100))


def edited(text: str, audit: str, original: Protocol) -> Protocol:
    """Read an edited protocol; what was published stays beside it only while the hash is the published one's.

    Raises:
        BadInput: no YAML, or no protocol of this audit.
    """
    if len(text) > protocol.MAX_BYTES:
        raise BadInput(f"A protocol may have at most {protocol.MAX_BYTES // 10**6} MB; this one has more.")
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(f"This is no YAML: {str(error)[:200]}") from None
    found = protocol.parse(content, audit, "edited")
    return original if found.hash == original.hash else found.model_copy(update={"name": f"{found.name}-edited"})


def difference(original: Protocol, found: Protocol) -> str:
    """Say whether an edited protocol can still be compared with others, as Markdown."""
    if found.hash == original.hash:
        return f"Protocol `{original.name}`, hash `{original.hash[:12]}…`, as shipped."
    return (
        f"**Changed:** the hash is now `{found.hash[:12]}…` instead of `{original.hash[:12]}…`. "
        "Runs with this protocol cannot be compared with runs of the shipped one, and published numbers do not apply."
    )


def uploaded(files: Sequence[str], table: str) -> str:
    """Put uploads into a folder of their own and return the reference of the data set.

    A zip keeps its folders, which are the labels where no table says more. Files chosen one by one need a table.

    Raises:
        BadInput: nothing given, a zip that is refused, or pictures without any label.
    """
    if not files:
        raise BadInput("Choose pictures, or a zip of folders named after what they show.")
    zipped = files[0].lower().endswith(".zip")
    if not zipped and not table:
        raise BadInput(
            "Pictures that lie in no folder need a CSV that says what they show: columns path and label, and any "
            "attributes such as gender. Or give a zip whose folders are the labels."
        )
    place = Path(tempfile.mkdtemp(prefix="audit-data-", dir=get_upload_folder()))
    with open_bundle(files, limit=MOST_PICTURES) as bundle:
        for entry in bundle.entries:
            inside = PurePosixPath(entry.name)
            target = place.joinpath(*inside.parts[-4:])
            target.parent.mkdir(parents=True, exist_ok=True)
            with bundle.file(entry) as file:
                shutil.copyfile(file, target)
    if table:
        shutil.copyfile(table, place / "samples.csv")
        return f"csv:{place / 'samples.csv'}"
    return f"folder:{place}"


def _rules(audit: str, wish: Wish) -> Protocol:
    original = chosen_protocol([audit], wish.protocol if len(wish.audits) == 1 else "")
    if original is None:
        raise BadInput("Choose at least one audit.")
    return edited(wish.text, audit, original) if wish.text.strip() and len(wish.audits) == 1 else original
