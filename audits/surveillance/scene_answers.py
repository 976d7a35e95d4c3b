"""From vectors to answers: which caption a model gives each picture of a scene.

Knows no model and no statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.answers import classifier, cosines
from audits.contracts import CLEAN, OUTCOME, Embedded
from audits.surveillance.captions import Question, captions, questions

if TYPE_CHECKING:
    from pandas import DataFrame

    from audits.protocol import Protocol as Rules

TEXT = ("distractor", "fine", "fine_true")  # columns that hold captions and are no groups


def samples(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row a picture and task.

    Outcomes: accuracy; and in the stress task close_confusion (a close caption was chosen) and other_error (a caption
    that is neither true nor close).
    """
    import pandas as pd

    dataset = embedded.dataset
    asked = questions(dataset, rules, seed=seed)
    names = captions(dataset)
    where = {name: place for place, name in enumerate(names)}
    rows = {item.sample_id: row for row, item in enumerate(embedded.items)}
    table = cosines(embedded.images, classifier(embedded.texts, names, rules.templates))
    known = {row["sample_id"]: row for row in dataset.table.to_dict("records")}
    groups = [name for name in dataset.attributes if name not in TEXT]
    answers: list[dict[str, Any]] = []
    for question in asked:
        scores = [float(table[rows[question.sample_id], where[option]]) for option in question.options]
        order = sorted(range(len(scores)), key=lambda place: (-scores[place], place))
        best = [question.options[place] for place in order]
        facts = known[question.sample_id]
        answers.append(
            {
                "sample_id": question.sample_id,
                "variant": CLEAN,
                "label_set": question.task,
                "cluster": str(facts["cluster"]) or question.sample_id,
                **{name: str(facts[name]) for name in groups},
                "y_true": question.truth,
                "y_pred": best[0],
                "rank_true": best.index(question.truth) + 1,
                "topk": best[:5],
                "scores": [scores[place] for place in order[:5]],
                "chance": 1.0 / len(question.options),
                **_outcomes(question, best[0]),
            }
        )
    return pd.DataFrame(answers)


def _outcomes(question: Question, answer: str) -> dict[str, float | None]:
    stress = question.task == "stress"
    right, near = answer == question.truth, answer in question.close
    return {
        f"{OUTCOME}accuracy": float(right),
        f"{OUTCOME}close_confusion": float(near) if stress else None,
        f"{OUTCOME}other_error": float(not right and not near) if stress else None,
    }
