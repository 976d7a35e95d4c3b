"""From vectors to answers: what a model names each picture, among the classes of its shift.

Knows no model and no statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audits.answers import classifier, cosines
from audits.contracts import CLEAN, OUTCOME, Embedded
from audits.shift.settings import settings, shifts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules

AROUND = "all frames around"  # variant: right in the anchor frame and in every frame near it
ANCHOR, NEIGHBOUR = "anchor", "neighbour"  # values of the column `frame`
TOP = 5


def samples(embedded: Embedded, rules: Rules) -> DataFrame:
    """Return one row a picture and shift; the label set is the shift's name.

    A base picture stands once for each shift that shares its class. In styles of video frames an anchor frame stands
    twice: by itself (pm-0), and as right only where all frames of its cluster are (pm-10).
    """
    import pandas as pd

    dataset = embedded.dataset
    base = settings(rules).base
    known = {row["sample_id"]: row for row in dataset.table.to_dict("records")}
    rows: list[dict[str, Any]] = []
    for style, labels in shifts(dataset, rules).items():
        if not labels:
            continue
        chosen = [
            place
            for place, item in enumerate(embedded.items)
            if known[item.sample_id]["style"] in (base, style) and known[item.sample_id]["label"] in labels
        ]
        table = cosines(embedded.images[chosen], classifier(embedded.texts, labels, rules.templates))
        for place, scores in zip(chosen, table, strict=True):
            rows.append(_row(known[embedded.items[place].sample_id], style, labels, scores))
    frame = pd.DataFrame(rows)
    return _with_neighbourhoods(frame, settings(rules).neighbourhoods)


def _row(facts: dict[Any, Any], style: str, labels: tuple[str, ...], scores: NDArray[np.float64]) -> dict[str, Any]:
    order = (-scores).argsort(kind="stable")
    truth = str(facts["label"])
    fixed = ("sample_id", "path", "sha256", "cluster", "split", "label")
    return {
        "sample_id": str(facts["sample_id"]),
        "variant": CLEAN,
        "label_set": style,
        "cluster": str(facts["cluster"]) or str(facts["sample_id"]),
        **{str(name): str(value) for name, value in facts.items() if name not in fixed},
        "y_true": truth,
        "y_pred": labels[order[0]],
        "rank_true": int((order == labels.index(truth)).argmax()) + 1,
        "topk": [labels[place] for place in order[:TOP]],
        "scores": [float(scores[place]) for place in order[:TOP]],
        f"{OUTCOME}accuracy": float(labels[order[0]] == truth),
    }


def _with_neighbourhoods(rows: DataFrame, styles: tuple[str, ...]) -> DataFrame:
    """Turn the frames of a video into its anchors, alone and with all that is near them."""
    import pandas as pd

    video = rows["style"].isin(styles) & (rows["label_set"] == rows["style"])
    if not video.any() or "frame" not in rows:
        return rows
    frames = rows[video]
    all_right = frames.groupby(["label_set", "cluster"])[f"{OUTCOME}accuracy"].min()
    anchors = frames[frames["frame"] == ANCHOR]
    around = anchors.assign(variant=AROUND)
    keys = pd.MultiIndex.from_frame(anchors[["label_set", "cluster"]])
    around[f"{OUTCOME}accuracy"] = all_right.reindex(keys).to_numpy()
    return pd.concat([rows[~video], anchors, around], ignore_index=True)
