"""Which attacks are made on which image, and how it is named under them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas import DataFrame
from pydantic import Field, field_validator

from audits import closed_set
from audits.adversarial import surrogates
from audits.adversarial.lp.attack import NOISE, WORST
from audits.adversarial.surrogates import MADE_ON
from audits.answers import classifier, cosines, prompts
from audits.contracts import CLEAN, Embedded, Item
from audits.datasets.dataset import Dataset
from audits.protocol import Protocol as Rules
from audits.sampling import described, some
from workbench.attacks import ATTACKS
from workbench.attacks.goals import Loss
from workbench.attacks.norms import Norm
from workbench.strict import Strict


class Attack(Strict):
    """One attack at several sizes."""

    method: str  # a key of `workbench.attacks.ATTACKS`, or noise
    norm: Norm
    loss: Loss = "ce"
    steps: int = Field(10, ge=1, le=1000)
    epsilons: tuple[float, ...] = Field(min_length=1)  # linf: in 255ths of a value; l2: of all values in 0..1

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        if method != NOISE and method not in ATTACKS:
            raise ValueError(f"no pixel attack is called {method[:80]!r}; known: {', '.join((*ATTACKS, NOISE))}")
        return method

    @property
    def name(self) -> str:
        """The method with its loss and number of steps."""
        return self.method if self.method == NOISE else f"{self.method}-{self.loss} {self.steps} steps"


class Settings(Strict):
    """Settings of `adversarial/lp`."""

    pictures: int = Field(24, ge=0)  # images, drawn at random; 0: all
    choices: int = Field(10, ge=0)  # labels that each image is named with; 0: all
    scale: float = Field(30.0, gt=0)  # of the cosines in the attacker's cross-entropy; a large one flattens it
    attacks: tuple[Attack, ...] = Field(min_length=1)
    surrogates: tuple[str, ...] = ()  # models on which attacks are made too, then shown to this one


def plan(dataset: Dataset, rules: Rules, *, seed: int) -> list[Item]:
    """Return each image as it is, with a change of size 0, and under every attack at every size."""
    settings = rules.settings_as(Settings)
    labels = _labels(dataset, rules)
    ids = some(dataset, closed_set.labelled(dataset, rules), count=settings.pictures, seed=seed)
    truths = dict(zip(dataset.table["sample_id"], dataset.table["label"], strict=True))
    choice = {}
    for sample in ids:
        places = closed_set.choices(labels, truths[sample], size=settings.choices, seed=seed, sample_id=sample)
        choice[sample] = {
            "labels": [labels[at] for at in places],
            "truth": truths[sample],
            "templates": list(rules.templates),
            "scale": settings.scale,
            "seed": seed,
        }
    norms = dict.fromkeys(one.norm for one in settings.attacks)
    zeros = [Attack(method="pgd", norm=norm, steps=1, epsilons=(0,)) for norm in norms]
    forms = [(one, epsilon) for one in (*zeros, *settings.attacks) for epsilon in one.epsilons]
    changed = [_item(sample, choice[sample], one, epsilon=epsilon) for one, epsilon in forms for sample in ids]
    changed += [
        _item(sample, {**choice[sample], "on": key, "on_weights": weights}, one, epsilon=epsilon)
        for key in settings.surrogates
        if (weights := surrogates.weights_of(key))
        for one in settings.attacks
        for epsilon in one.epsilons
        if one.method != NOISE
        for sample in ids
    ]
    return [*(Item(sample) for sample in ids), *changed]


def texts(dataset: Dataset, rules: Rules) -> list[str]:
    """Return all labels in all templates."""
    return prompts(_labels(dataset, rules), rules.templates)


def score(embedded: Embedded, rules: Rules, *, seed: int) -> DataFrame:
    """Return one row an image and form, and one for the worst of the attacks of each size.

    Attacks made on the audited model as its own surrogate are left out: they are the direct ones once more.
    """
    settings = rules.settings_as(Settings)
    labels = _labels(embedded.dataset, rules)
    weights = classifier(embedded.texts, labels, rules.templates)
    values = cosines(embedded.images, weights)
    rows = described(embedded)
    rows["label_set"] = f"{min(settings.choices or len(labels), len(labels))} labels"
    for name, column in _forms(embedded.items).items():
        rows[name] = column
    choice = [
        closed_set.choices(labels, truth, size=settings.choices, seed=seed, sample_id=sample)
        for truth, sample in zip(rows["y_true"], rows["sample_id"], strict=True)
    ]
    best = [at[int(np.argmax(row[at]))] for at, row in zip(choice, values, strict=True)]
    rows["y_pred"] = [labels[at] for at in best]
    true = np.array([labels.index(truth) for truth in rows["y_true"]])
    rows["margin"] = [
        float(row[at] - max(row[other] for other in places if other != at))
        for at, row, places in zip(true, values, choice, strict=True)
    ]
    rows["outcome:accuracy"] = (rows["y_pred"] == rows["y_true"]).astype(float)
    clean = {item.sample_id: at for at, item in enumerate(embedded.items) if item.variant == CLEAN}
    images = embedded.images.astype(np.float64)
    rows["moved"] = [  # Euclidean distance to the embedding of the clean image
        float(np.linalg.norm(images[at] - images[clean[item.sample_id]])) for at, item in enumerate(embedded.items)
    ]
    rows = rows[~rows["attack"].str.endswith(MADE_ON + embedded.model.key)]
    return pd.concat([rows, _worst(rows)], ignore_index=True)


def _labels(dataset: Dataset, rules: Rules) -> tuple[str, ...]:
    """Return the one label set; several are pooled."""
    sets = closed_set.label_sets(dataset, rules)
    return tuple(dict.fromkeys(label for labels in sets.values() for label in labels))


def _item(sample: str, choice: Mapping[str, object], attack: Attack, *, epsilon: float) -> Item:
    recipe = {
        **choice,
        "method": attack.method,
        "norm": attack.norm,
        "loss": attack.loss,
        "steps": attack.steps,
        "epsilon": epsilon,
    }
    if attack.method in ATTACKS and (version := ATTACKS[attack.method].version) > 1:
        recipe["version"] = version  # changed images are cached by their recipe
    name = variant(attack, epsilon, on=str(choice.get("on", "")))
    return Item(sample, name, json.dumps(recipe, sort_keys=True, ensure_ascii=True))


def variant(attack: Attack, epsilon: float, *, on: str = "") -> str:
    """Name a form: attack, whom it was made on where that is another model, norm and size."""
    made = f"{MADE_ON}{on}" if on else ""
    return f"{attack.name if epsilon else 'no change'}{made}, {attack.norm} {epsilon:g}"


def _forms(items: Sequence[Item]) -> dict[str, list[str]]:
    """Read attack, norm and epsilon of each item from its recipe."""
    columns: dict[str, list[str]] = {"attack": [], "norm": [], "epsilon": []}
    for item in items:
        recipe = json.loads(item.recipe) if item.recipe else {"epsilon": 0, "norm": CLEAN}
        size = recipe["epsilon"]
        parts = {name: recipe.get(name) for name in ("method", "norm", "loss", "steps")}
        made = f"{MADE_ON}{recipe['on']}" if "on" in recipe else ""
        columns["attack"].append(Attack.model_validate({**parts, "epsilons": [size]}).name + made if size else "none")
        columns["norm"].append(str(recipe["norm"]))
        columns["epsilon"].append(f"{size:g}/255" if recipe["norm"] == "linf" else f"{size:g}")
    return columns


def _worst(rows: DataFrame) -> DataFrame:
    """Return, for each image and size, its row under the attack that leaves it the smallest margin.

    Those made on this model and those made on each other one are counted apart.
    """
    attacked = rows[~rows["attack"].isin(["none", NOISE])]
    attacked = attacked.assign(made=attacked["attack"].str.extract(f"({MADE_ON}.*)$", expand=False).fillna(""))
    same = ["sample_id", "made", "norm", "epsilon"]
    order = attacked.sort_values([*same, "outcome:accuracy", "margin"], kind="stable")
    worst = order.groupby(same, sort=True).head(1).copy()
    worst["attack"] = WORST + worst.pop("made")
    worst["variant"] = worst["attack"] + ", " + worst["norm"] + " " + worst["epsilon"]
    return worst
