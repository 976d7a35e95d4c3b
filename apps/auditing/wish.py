"""What a visitor asks for, read from the form into jobs; and what must be said before a job is begun.

Knows no widget. Uploads go to a private folder, and are read by the same readers as anybody's folder or CSV.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradio.utils import get_upload_folder

from apps.auditing.rules import chosen_protocol, edited, warnings
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
