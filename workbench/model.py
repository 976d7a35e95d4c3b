"""A loaded model and everything that one asks it: the object of the notebook surface.

Commands and views ask it too: it takes a session of the engine in place of a model of its own.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, overload

from workbench.embedding import embed_files, in_chunks
from workbench.engine import Engine, Session
from workbench.image_inputs import image_files, read_image, read_images
from workbench.images import safe_open
from workbench.prompts import DEFAULT, read_templates
from workbench.results.predictions import Prediction, Predictions, predict, predict_rows
from workbench.watching import Watch, outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.cache import EmbeddingStore, Key
    from workbench.checkpoints.spec import ModelSpec
    from workbench.embedding import EmbeddedFile
    from workbench.generation.settings import Settings
    from workbench.image_inputs import ImageLike
    from workbench.loading.torch_backend import TorchBackend
    from workbench.results.explanation import Explanation
    from workbench.results.generated_image import GeneratedImage
    from workbench.results.predictions import ClassifyOptions
    from workbench.results.units import NamedUnit
    from workbench.results.word_attack import AttackSettings, WordAttack


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
        rows = outcome(in_chunks(self.session.embed_images, pictures, "images"), progress)
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
        yield from embed_files(self.session, map(read_image, images), store=store)  # holds the model meanwhile

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
        given = [texts] if isinstance(texts, str) else list(texts)
        rows = outcome(in_chunks(self.session.embed_texts, given, "texts"), progress)
        return rows[0] if one else rows

    @overload
    def classify(  # type: ignore[overload-overlap]  # a path is an iterable of letters too
        self, images: ImageLike, labels: Sequence[str], **options: Unpack[ClassifyOptions]
    ) -> Prediction: ...
    @overload
    def classify(
        self, images: Iterable[ImageLike], labels: Sequence[str], **options: Unpack[ClassifyOptions]
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
            >>> wb.load("pocket", device="cpu").classify(wb.sample("rocket"), ["cat", "rocket"], templates="seven")
            Prediction('rocket', 0.9..., 2 labels, pocket)
        """
        pictures, one = read_images(images)
        prompts = read_templates(templates)
        steps = predict(self.session, pictures, labels, templates=prompts, none_of_these=none_of_these)
        answers = outcome(steps, progress)
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
        rows, prompts = self.embed_each(images), read_templates(templates)
        yield from predict_rows(self.session, rows, labels, templates=prompts, none_of_these=none_of_these)

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

        prompts = read_templates(templates)
        steps = explain(
            self.session, read_image(image), labels, label=label, method=method, templates=prompts, **options
        )
        return outcome(steps, progress)

    def unit(
        self,
        layer: str,
        unit: int,
        *,
        images: str | Sequence[str] = (),
        answer: str = "",
        seed: int = 0,
        progress: Watch = None,
    ) -> NamedUnit:
        """Say what one unit of the image tower responds to, with evidence.

        The first unit of a layer takes minutes where no atlas of it is shipped; those that follow take seconds.

        Args:
            layer: one of `layers`, or `last`.
            unit: a channel, or a position along the width of tokens.
            images: files or a folder to look at in place of the built-in images.
            answer: the answer of the gallery "used most for"; the first name where empty.
            seed: of the shuffled units that names are compared with.
            progress: see `Model`.

        Raises:
            BadInput, UnknownName: no such layer or unit.
            Unsupported: the image tower has no layers.

        Example:
            >>> import workbench as wb
            >>> wb.load("pocket", device="cpu").unit("last", 373).layer
            'conv_head'
        """
        from workbench.results.units import name_unit

        files = image_files(images)
        return outcome(name_unit(self.session, layer, unit, files=files, answer=answer, seed=seed), progress)

    def attack(
        self,
        image: ImageLike,
        *,
        labels: Sequence[str],
        word: str | None = None,
        find: str | None = None,
        templates: str | Sequence[str] = DEFAULT,
        progress: Watch = None,
        **settings: Unpack[AttackSettings],
    ) -> WordAttack:
        """Write a word on an image, or search for the smallest label that makes `find` the answer.

        Args:
            image: one image.
            labels: what the model chooses from; the word is added.
            word: what to write.
            find: the answer that a search is to reach, in place of `word`.
            templates: see `classify`.
            progress: see `Model`.
            settings: how it is written and searched; see `AttackSettings`.

        Raises:
            BadInput: neither or both of word and find, or something that cannot be used.

        Example:
            >>> import workbench as wb
            >>> wb.load("pocket", device="cpu").attack(wb.sample("drawn-apple"), word="ipod", labels=["apple"]).before
            'apple'
        """
        from workbench.results.word_attack import attack, attack_request

        request, prompts = attack_request(labels, word=word, find=find, settings=settings), read_templates(templates)
        opened = safe_open(read_image(image))
        return outcome(attack(self.session, opened, request, templates=prompts), progress)

    def generate(
        self,
        prompt: str | Settings,
        *,
        method: str = "",
        start: ImageLike | None = None,
        images: Iterable[ImageLike] = (),
        progress: Watch = None,
        **settings: Any,
    ) -> GeneratedImage:
        """Make an image out of a sentence, guided by this model.

        Args:
            prompt: a sentence, or several with weights (`a castle | fog:-0.3`); or all settings of an earlier image.
            method: prior, fourier, strokes, maco, siren, pixels, or with `checkpoint` diffusion or latents; what suits
                the model where empty.
            start: an image to edit, in place of noise.
            images: image prompts, with `image_weights` among the settings.
            progress: see `Model`.
            settings: such as `seed`, `seconds` (20) or `steps`, and `side`; see `generation.settings.Settings`.

        Raises:
            BadInput: a prompt or setting that cannot be used.
            Unsupported: this model has no gradients.

        Example:
            >>> import workbench as wb
            >>> wb.load("pocket", device="cpu").generate("a red apple", method="pixels", steps=2, side=64, seed=7).seed
            7
        """
        from workbench.generation.models import needed
        from workbench.generation.settings import read_settings
        from workbench.results.generated_image import generate

        if isinstance(prompt, str):
            suits = "prior" if self.key == "pocket" and start is None else "fourier"
            method = method or ("diffusion" if settings.get("checkpoint") else suits)
            prompt = read_settings({"prompt": prompt, "method": method, "model": self.key, **settings})
        opened = None if start is None else safe_open(read_image(start))
        looks = [safe_open(read_image(one)) for one in images]
        with ExitStack() as stack:
            session = self.session
            if session is not self._given:  # further models are leased beside this one
                others = needed(prompt)
                session = stack.enter_context(self._own[0].session("script", self.key, others=others))
            return outcome(generate(session, prompt, opened, images=looks), progress)

    def __repr__(self) -> str:
        return f"Model({self.key}, {self.spec.image_tower or self.spec.title}, {self.dim}-d, {self.device})"
