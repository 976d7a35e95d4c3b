"""A loaded model and everything that one asks it: the object of the notebook surface.

Commands and views ask it too: it takes a session of the engine in place of a model of its own.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from workbench.engine import Engine, Session
from workbench.errors import BadInput
from workbench.image_inputs import read_image, read_images
from workbench.progress import Progress
from workbench.prompts import DEFAULT, read_templates
from workbench.results.predictions import Prediction, Predictions, predict, predict_rows
from workbench.watching import Watch, outcome, watching

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.cache import EmbeddingStore, Key
    from workbench.checkpoints.spec import ModelSpec
    from workbench.embedding import EmbeddedFile
    from workbench.image_inputs import ImageLike
    from workbench.loading.torch_backend import TorchBackend
    from workbench.results.explanation import Explanation

    ModelLike: TypeAlias = "Model | Session | TorchBackend | str | os.PathLike[str]"

CHUNK = 256  # images or texts between two reports of progress


def load(key: str | os.PathLike[str] = "pocket", *, device: str = "auto", dtype: str = "auto") -> Model:
    """Load a model that is on this machine.

    Args:
        key: a key of the catalogue (see `models`), a folder with a checkpoint, or the folder of an edited model.
        device: auto, cpu, cuda, mps, or openvino (the CPU; OpenVINO embeds images, torch does everything else).
        dtype: auto (float32 on the CPU, bfloat16 on CUDA), float32, bfloat16 or float16.

    Raises:
        UnknownName: no such model.
        BadInput: no such device or dtype.
        WeightsMissing: the checkpoint is not on this machine; the message names the command that fetches it.
        WeightsRefused: the files are not what was recorded, are no safetensors, or ask for code of their own.
        OutOfResources: this machine has no such device.

    Example:
        >>> import workbench as wb
        >>> wb.load("pocket", device="cpu")
        Model(pocket, EfficientNet-Lite0, 384-d, cpu)
    """
    from workbench import loading

    return Model(loading.load(os.fspath(key), device=device, dtype=dtype))


class Model:
    """A loaded model: it classifies, embeds and explains; its units are opened; it is attacked; it guides images.

    Images are paths, Pillow images, NumPy arrays, torch tensors, bytes or open files, one or many; one gives one
    result, several give as many. `progress` is None (a bar where a terminal or a notebook looks), True, False, or a
    function that gets each `Progress`.

    Args:
        model: a loaded checkpoint or a session of the engine; `load` makes one from a key.

    Example:
        >>> import workbench as wb
        >>> model = wb.load("pocket", device="cpu")
        >>> model.classify(wb.sample("cat"), ["cat", "dog"]).label
        'cat'
    """

    def __init__(self, model: Session | TorchBackend) -> None:
        self._given = model

    @cached_property
    def session(self) -> Session:
        """The engine's session that all work runs in; made when it is first needed, ended with this object."""
        return self._given if isinstance(self._given, Session) else self._own[1]

    @cached_property
    def _own(self) -> tuple[Engine, Session]:
        """An engine that holds this model, and a session with it."""
        stack = ExitStack()
        weakref.finalize(self, stack.close)
        device = "openvino" if getattr(self.backend, "compiled", None) else self.device.split(":")[0]
        engine = stack.enter_context(Engine(device=device))
        return engine, stack.enter_context(engine.session("script", engine.hold(self.backend)))

    @property
    def backend(self) -> TorchBackend:
        """The model itself, for gradients, layers and activations; its work takes no turns with the session's."""
        return self._given.backend if isinstance(self._given, Session) else self._given

    @property
    def spec(self) -> ModelSpec:
        """The catalogue row: title, licence, paper, what it was trained on."""
        return self._given.spec

    @property
    def key(self) -> str:
        """What the catalogue, runs and indexes call it."""
        return self._given.spec.key

    @property
    def fingerprint(self) -> str:
        """Hash of weights, preprocessing, tokenizer and dtype."""
        return self._given.fingerprint

    @property
    def dim(self) -> int:
        """Width of the joint space."""
        return self._given.dim

    @property
    def logit_scale(self) -> float:
        """Scale applied to cosines before the softmax."""
        return self._given.logit_scale

    @property
    def device(self) -> str:
        """Where the weights are: cpu, cuda, mps."""
        return str(self._given.device)

    @property
    def dtype(self) -> str:
        """What images are embedded in: float32, bfloat16, float16."""
        return str(getattr(self._given, "numbers", self._given.dtype))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the image tower's layers, the input side first."""
        return tuple(self._given.anatomy.layers)

    def embed_images(self, images: ImageLike | Iterable[ImageLike], *, progress: Watch = None) -> NDArray[np.float32]:
        """Embed images; (n, dim) float32, rows of length 1, or (dim,) for one image.

        Raises:
            BadInput: no image, or one that cannot be read.
            OutOfResources: the device's memory does not suffice.

        Example:
            >>> import workbench as wb
            >>> model = wb.load("pocket", device="cpu")
            >>> model.embed_images([wb.sample("cat"), wb.sample("rocket")]).shape
            (2, 384)
        """
        pictures, one = read_images(images)
        rows = self._chunks(self.session.embed_images, pictures, "images", progress)
        return rows[0] if one else rows

    def embed_each(
        self, images: Iterable[ImageLike], *, store: EmbeddingStore[Key] | None = None
    ) -> Iterator[EmbeddedFile]:
        """Embed a stream of images, however long, in order; one that cannot be read has an `error` and no `vector`.

        Args:
            images: read as they are needed.
            store: vectors from earlier; a file whose vector is there is neither decoded nor embedded again.

        Example:
            >>> import workbench as wb
            >>> rows = wb.load("pocket", device="cpu").embed_each([wb.sample("cat"), "missing.jpg"])
            >>> [row.error for row in rows]
            ['', "There is no image file 'missing.jpg'."]
        """
        from workbench.embedding import embed_files

        return embed_files(self.session, map(read_image, images), store=store)

    def embed_texts(self, texts: str | Iterable[str], *, progress: Watch = None) -> NDArray[np.float32]:
        """Embed texts as they are; (n, dim) float32, rows of length 1, or (dim,) for one text.

        Raises:
            BadInput: no text, or a blank one.

        Example:
            >>> import workbench as wb
            >>> wb.load("pocket", device="cpu").embed_texts("a photo of a cat.").shape
            (384,)
        """
        one = isinstance(texts, str)
        rows = self._chunks(self.session.embed_texts, [str(texts)] if one else list(texts), "texts", progress)
        return rows[0] if one else rows

    def _chunks(self, embed: Any, items: list[Any], unit: str, progress: Watch) -> NDArray[np.float32]:
        import numpy as np

        if len(items) <= CHUNK:
            return np.asarray(embed(items).numpy())
        rows = []
        with watching(progress) as report:
            for start in range(0, len(items), CHUNK):
                rows.append(embed(items[start : start + CHUNK]).numpy())
                report(Progress(min(start + CHUNK, len(items)), len(items), unit, "embed"))
        return np.concatenate(rows)

    @overload
    def classify(
        self, images: ImageLike, labels: Sequence[str], *, templates: str | Sequence[str] = ..., **options: Any
    ) -> Prediction: ...
    @overload
    def classify(
        self,
        images: Iterable[ImageLike],
        labels: Sequence[str],
        *,
        templates: str | Sequence[str] = ...,
        **options: Any,
    ) -> Predictions: ...
    def classify(
        self,
        images: ImageLike | Iterable[ImageLike],
        labels: Sequence[str],
        *,
        templates: str | Sequence[str] = DEFAULT,
        none_of_these: bool = False,
        progress: Watch = None,
    ) -> Prediction | Predictions:
        """Give each label a probability and a cosine; a `Prediction` for one image, `Predictions` for many.

        Args:
            images: one or many.
            labels: up to 256 distinct names.
            templates: prompts with `{}`, or the name of a set (none, one, seven, eighty); several are averaged.
            none_of_these: add the label "none of these"; see `zeroshot.classify`.
            progress: see `Model`.

        Raises:
            BadInput: no usable label or template, or an image that cannot be read.

        Source:
            Radford et al. 2021, arXiv:2103.00020, sections 3.1.2 and 3.1.4.

        Example:
            >>> import workbench as wb
            >>> model = wb.load("pocket", device="cpu")
            >>> model.classify(wb.sample("rocket"), ["cat", "rocket"], templates="seven").label
            'rocket'
        """
        pictures, one = read_images(images)
        given = {"templates": read_templates(templates), "none_of_these": none_of_these}
        answers: Predictions = outcome(predict(self.session, pictures, labels, **given), progress)
        return answers[0] if one else answers

    def classify_each(
        self,
        images: Iterable[ImageLike],
        labels: Sequence[str],
        *,
        templates: str | Sequence[str] = DEFAULT,
        none_of_these: bool = False,
    ) -> Iterator[Prediction]:
        """Classify a stream of images, however long; one that cannot be read has an `error` in place of labels.

        Raises:
            BadInput: no usable label or template.

        Example:
            >>> import workbench as wb
            >>> model = wb.load("pocket", device="cpu")
            >>> [bool(one.error) for one in model.classify_each([wb.sample("cat"), "missing.jpg"], ["cat", "dog"])]
            [False, True]
        """
        given = {"templates": read_templates(templates), "none_of_these": none_of_these}
        return predict_rows(self.session, self.embed_each(images), labels, **given)

    def explain(
        self,
        image: ImageLike,
        labels: Sequence[str],
        *,
        label: str | None = None,
        method: str = "grad-cam",
        templates: str | Sequence[str] = DEFAULT,
        progress: Watch = None,
        **options: Any,
    ) -> Explanation:
        """Say where in an image the model sees a label.

        Args:
            image: one image.
            labels: what the model chooses from.
            label: the one to explain; the likeliest where not given.
            method: grad-cam, integrated-gradients, occlusion or attention-relevance.
            templates: see `classify`.
            progress: see `Model`.
            options: settings of the method, such as `steps`, `window` or `layer`; see `attribution.Request`.

        Raises:
            BadInput: an image, label or setting that cannot be used.
            Unsupported: this model does not offer the method.

        Example:
            >>> import workbench as wb
            >>> wb.load("pocket", device="cpu").explain(wb.sample("cat"), ["cat", "dog"], method="occlusion")
            Explanation('cat', occlusion, pocket)
        """
        from workbench.results.explanation import explain

        given = {"label": label, "method": method, "templates": read_templates(templates), **options}
        return outcome(explain(self.session, read_image(image), labels, **given), progress)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"Model({self.key}, {self.spec.image_tower or self.spec.title}, {self.dim}-d, {self.device})"


def as_model(model: ModelLike) -> Model:
    """Return a loaded model: itself, or what a key, a folder, a session or a checkpoint in memory stands for.

    Raises:
        BadInput: none of these; see `load` for keys and folders.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str | os.PathLike):
        return load(model)
    if not hasattr(model, "spec"):
        raise BadInput(
            f"A model is a key such as 'pocket', a folder, or what `load` returns; got {type(model).__name__}."
        )
    return Model(model)


def classify(
    model: ModelLike, images: ImageLike | Iterable[ImageLike], labels: Sequence[str], **options: Any
) -> Prediction | Predictions:
    """Classify one image or many with any labels; see `Model.classify` for the options.

    Example:
        >>> import workbench as wb
        >>> wb.classify("pocket", wb.sample("cat"), ["cat", "dog"]).label
        'cat'
    """
    return as_model(model).classify(images, labels, **options)
