"""What a model answers to images among labels: one `Prediction` an image, and `Predictions` of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypedDict, overload

import numpy as np

from workbench.image_inputs import image_name
from workbench.labels import check_names
from workbench.notes import notes
from workbench.progress import Progress
from workbench.prompts import DEFAULT
from workbench.results import html
from workbench.taught.words import marks
from workbench.zeroshot import classify_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pandas import DataFrame
    from torch import Tensor

    from workbench.backend import ClipBackend, Picture
    from workbench.embedding import EmbeddedFile
    from workbench.results.charts import Chart
    from workbench.taught.words import Taught
    from workbench.watching import Watch


CHUNK = 256  # images between two reports of progress
EACH = 32  # images of one pass, where they are a stream


class ClassifyOptions(TypedDict, total=False):
    """What may be given with `classify`; see `Model.classify`."""

    templates: str | Sequence[str]
    none_of_these: bool
    progress: Watch


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """One image's answer; `label` is the likeliest of the labels.

    Example:
        >>> import workbench as wb
        >>> answer = wb.load("pocket", device="cpu").classify(wb.sample("cat"), ["dog", "cat"])
        >>> answer.label, answer.labels
        ('cat', ('dog', 'cat'))
        >>> answer.to_frame().columns.tolist()
        ['label', 'probability', 'cosine']
    """

    image: Picture
    labels: tuple[str, ...]  # k, in the order given
    probabilities: NDArray[np.float32]  # (k,); they sum to 1 for softmax models, each stands alone for sigmoid models
    cosines: NDArray[np.float32]  # (k,) -1..1
    model: str = ""  # its key
    score: str = "softmax"  # or "sigmoid"
    notes: tuple[str, ...] = ()  # what a reader must know before believing a number
    error: str = ""  # why the image has no answer; then there are no labels
    taught: Mapping[str, Taught] = field(default_factory=dict)  # what each label is known from; empty: not known
    unlike: str = ""  # a sentence, where the image is unlike what the model has seen

    @classmethod
    def failed(cls, image: Picture, error: str) -> Prediction:
        """Return the answer to an image that could not be read."""
        nothing = np.zeros(0, np.float32)
        return cls(image, (), nothing, nothing, error=error)

    @property
    def label(self) -> str:
        """The likeliest label; empty where the image could not be read."""
        return self.labels[int(self.probabilities.argmax())] if self.labels else ""

    @property
    def probability(self) -> float:
        """The probability of that label, 0..1; NaN where the image could not be read."""
        return float(self.probabilities.max()) if self.labels else float("nan")

    @property
    def remarks(self) -> list[str]:
        """All sentences that belong beside the answer."""
        return [*([self.unlike] if self.unlike else []), *self.notes]

    def ranked(self) -> list[tuple[str, float, float]]:
        """Return (label, probability, cosine), the likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.labels[n], float(self.probabilities[n]), float(self.cosines[n])) for n in order]

    def to_dict(self) -> dict[str, Any]:
        """Return `image`, `labels` with label, probability and cosine, `unlike` and `notes`; or `error`.

        The likeliest label comes first. Of a shipped model, each also has `taught`: "photos", "drawings" (alone) or
        "no"; and `unlike` says whether the image is unlike what the model has seen (of others, it is false).
        """
        if self.error:
            return {"image": image_name(self.image), "error": self.error}
        labels = [
            {"label": name, "probability": chance, "cosine": cosine}
            | ({"taught": self.taught[name]} if name in self.taught else {})
            for name, chance, cosine in self.ranked()
        ]
        answer = {"image": image_name(self.image), "labels": labels}
        return {**answer, "unlike": bool(self.unlike), "notes": self.remarks}

    def to_frame(self) -> DataFrame:
        """Return a row per label, the likeliest first: label, probability, cosine."""
        import pandas as pd

        return pd.DataFrame(self.ranked(), columns=["label", "probability", "cosine"])

    def plot(self) -> Chart:
        """Draw the probabilities as bars, the likeliest first."""
        from workbench.results.charts import bars

        names, chances, _ = zip(*self.ranked(), strict=True) if self.labels else ((), (), ())
        return bars(names, chances, axis=f"probability ({self.score})", title=self.model)

    def __repr__(self) -> str:
        if self.error:
            return f"Prediction(error={self.error!r})"
        return f"Prediction({self.label!r}, {self.probability:.3f}, {len(self.labels)} labels, {self.model})"

    def _repr_html_(self) -> str:
        if self.error:
            return html.block(image_name(self.image), html.paragraph(self.error))
        title = f"{self.label} ({100 * self.probability:.1f} %)"
        notes = [html.paragraph(note) for note in self.remarks]
        return html.block(title, html.image(self.image, image_name(self.image)), html.table(self.to_frame()), *notes)


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Sequence[Prediction]):
    """Many images' answers: a list of `Prediction` that is a table as well.

    Example:
        >>> import workbench as wb
        >>> images = [wb.sample("cat"), wb.sample("rocket")]
        >>> answers = wb.load("pocket", device="cpu").classify(images, ["cat", "rocket"])
        >>> [one.label for one in answers], answers.probabilities.shape
        (['cat', 'rocket'], (2, 2))
    """

    rows: tuple[Prediction, ...]
    labels: tuple[str, ...]
    model: str = ""
    notes: tuple[str, ...] = field(default=())

    @overload
    def __getitem__(self, at: int) -> Prediction: ...
    @overload
    def __getitem__(self, at: slice) -> Predictions: ...
    def __getitem__(self, at: int | slice) -> Prediction | Predictions:
        if isinstance(at, slice):
            return Predictions(self.rows[at], self.labels, self.model, self.notes)
        return self.rows[at]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.rows)

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """(n, k) probabilities, columns in the order of `labels`; NaN for an image that could not be read."""
        return self._stacked("probabilities")

    @property
    def cosines(self) -> NDArray[np.float32]:
        """(n, k) cosines, -1..1."""
        return self._stacked("cosines")

    def _stacked(self, name: str) -> NDArray[np.float32]:
        empty = np.full(len(self.labels), np.nan, np.float32)
        return np.array([empty if one.error else getattr(one, name) for one in self.rows], np.float32)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one dictionary per image; see `Prediction.to_dict`."""
        return [one.to_dict() for one in self.rows]

    def to_frame(self) -> DataFrame:
        """Return a row per image: image, answer, then the probability of each label; error where any."""
        import pandas as pd

        frame = pd.DataFrame(self.probabilities, columns=list(self.labels))
        frame.insert(0, "image", [image_name(one.image) for one in self.rows], allow_duplicates=True)
        frame.insert(1, "answer", [one.label for one in self.rows], allow_duplicates=True)
        if any(one.error for one in self.rows):
            frame["error"] = [one.error for one in self.rows]
        return frame

    def plot(self) -> Chart:
        """Draw how many images got each answer."""
        from workbench.results.charts import bars

        counts = [sum(one.label == name for one in self.rows) for name in self.labels]
        return bars(self.labels, counts, axis="images", title=self.model)

    def __repr__(self) -> str:
        return f"Predictions({len(self.rows)} images, {len(self.labels)} labels, {self.model})"

    def _repr_html_(self) -> str:
        pictures = [html.image(one.image, one.label, side=72) for one in self.rows[: html.ROWS]]
        notes = [html.paragraph(note) for note in self.notes]
        return html.block(repr(self), *pictures, html.table(self.to_frame()), *notes)


def predict(
    session: ClipBackend,
    pictures: Sequence[Picture],
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Iterator[Progress | Predictions]:
    """Yield progress, and at the end `Predictions`; see `zeroshot.classify`.

    Raises:
        BadInput: no usable label or template, no image, or one that cannot be read.
    """
    names = check_names(labels, none_of_these)
    rows: list[Prediction] = []
    for start in range(0, len(pictures) or 1, CHUNK):
        chunk = pictures[start : start + CHUNK]
        vectors = session.embed_images(chunk)
        rows += _answers(session, chunk, vectors, names, templates=templates, none_of_these=none_of_these)
        yield Progress(len(rows), len(pictures), "images", "classify")
    yield Predictions(tuple(rows), rows[0].labels, rows[0].model, rows[0].notes)


def predict_rows(
    session: ClipBackend,
    rows: Iterable[EmbeddedFile],
    labels: Sequence[str],
    *,
    templates: Sequence[str] = (DEFAULT,),
    none_of_these: bool = False,
) -> Iterator[Prediction]:
    """Classify a stream of images that are embedded already; one that could not be read has an `error`."""
    import torch

    names, rest = check_names(labels, none_of_these), iter(rows)
    while chunk := list(islice(rest, EACH)):
        good = [row for row in chunk if row.vector is not None]
        answers: Iterator[Prediction] = iter(())
        if good:
            vectors = torch.stack([row.vector for row in good if row.vector is not None])
            pictures = [row.image for row in good]
            given = {"templates": templates, "none_of_these": none_of_these}
            answers = iter(_answers(session, pictures, vectors, names, **given))
        for row in chunk:
            yield next(answers) if row.vector is not None else Prediction.failed(row.image, row.error)


def _answers(
    session: ClipBackend, pictures: Sequence[Picture], rows: Tensor, labels: Sequence[str], **options: Any
) -> list[Prediction]:
    result = classify_rows(session, rows, labels, **options)
    remarks, taught = tuple(notes(session, result, options["templates"])), marks(session.spec, labels)
    chances, cosines = result.probabilities.numpy(), result.cosines.numpy()
    key, score = session.spec.key, result.score
    return [
        Prediction(
            picture,
            result.labels,
            chances[at],
            cosines[at],
            key,
            score,
            remarks,
            taught=taught,
            unlike=result.unlike[at],
        )
        for at, picture in enumerate(pictures)
    ]
