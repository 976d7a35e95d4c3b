"""The recipe of captions: a CLIP learns captioned photos on a processor, and keeps what it knew.

The image tower stays as it is, so each photo and its mirror image go through it once. The text tower and both
projections learn by contrast; texts that the model knew (names of things, words, colours, counts and pairs) and images
of written words stay where they were, the photos keep their thousand names, and the image projection changes little.

Sources:
    Radford et al. 2021, arXiv:2103.00020, section 2.3 (the contrast).
    Zhai et al. 2022, arXiv:2111.07991 (a locked image tower).
    Li and Hoiem 2016, arXiv:1606.09282, section 3 (answers to old questions are kept on new images).
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from workbench.backend import Tokens
from workbench.datasets import ImageSample, read_samples
from workbench.errors import BadInput, BadPicture, Cancelled
from workbench.loading.device import choose_device
from workbench.loading.features import with_features
from workbench.places import read_json, write_json
from workbench.progress import Progress
from workbench.retrieval.evaluation import RetrievalScores, ranks, summarise
from workbench.strict import Strict
from workbench.training import checkpoints
from workbench.training.losses import symmetric_cross_entropy
from workbench.training.optimiser import adamw, rate_at, set_rate
from workbench.training.order import CAPTIONS, Order
from workbench.training.recipe import refused
from workbench.training.record import RECORD
from workbench.training.trainee import OF_BOTH, OF_IMAGES, Trainee, check_out, export, ready

FEATURES = "features.safetensors"  # of the photos, kept in the model's folder while it is trained
WORK = "work"
FEWEST = 20  # photos
MOST_PART = 5  # at most one photo in five is held out
PASS = 64  # images or texts embedded at once, where nothing learns
SAVE_EVERY = 100  # steps
PHOTO, PLAIN = "a photo of a {}.", "{}"
COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "black", "white", "grey")
COUNTS = ("one", "two", "three", "four", "five")


class Settings(Strict):
    """What decides the weights."""

    model: Annotated[str, Field(max_length=4096)] = "pocket"
    data: Annotated[str, Field(min_length=1, max_length=4096)]
    image: str = "image"  # a table's column of paths or bytes
    text: str = "caption"  # a table's column of captions; a photo may have several rows
    epochs: Annotated[float, Field(gt=0, le=1000)] = 6.0  # how often each photo is learned, each time with one caption
    steps: Annotated[int, Field(ge=1, le=1_000_000)] | None = None  # instead of epochs
    batch: Annotated[int, Field(ge=8, le=4096)] = 128
    rate: Annotated[float, Field(gt=0, le=1)] = 1e-4
    decay: Annotated[float, Field(ge=0, lt=10)] = 0.01
    keep_texts: Annotated[float, Field(ge=0)] = 10.0  # weight of known texts, against a contrast of weight 1
    keep_images: Annotated[float, Field(ge=0)] = 30.0  # weight of known images
    keep_names: Annotated[float, Field(ge=0)] = 1.0  # weight of what the photos are called, of a thousand names
    keep_projection: Annotated[float, Field(ge=0)] = 100.0  # weight of the image projection's relative squared change
    held_out: Annotated[int, Field(ge=1, le=10_000)] = 500  # photos that are measured on; at most a fifth
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


@dataclass(frozen=True)
class Photo:
    """A photo with its captions."""

    sample: ImageSample
    captions: tuple[str, ...]


def train(order: Order, *, stopped: Callable[[], bool]) -> Iterator[Progress]:
    """Teach a model captioned photos; yields a report after each batch of photos that is looked at, and each step.

    The last report's text is a table of what photos and sentences find of each other before and after, on photos held
    out. The same command continues a training that was stopped.

    Args:
        order: `data` is a folder with `.txt` files beside the images, a CSV or Parquet with the columns `image` and
            `caption` (`path` and `text` will do); `model` a key or folder; `out` where the model goes.
        stopped: asked after each step; the state is saved then.

    Raises:
        BadInput: too few captioned photos, or a folder that holds a model.
        Cancelled: `stopped` said so.
        OutOfResources: the folder cannot be written.
        Unsupported, UnknownName, WeightsMissing, WeightsRefused: see `workbench.load`.
    """
    if order.data is None:
        raise BadInput("The recipe captions learns from --data: a folder with captions, a CSV or a Parquet file.")
    given = {name: getattr(order, name) for name in ("model", "data", "steps", "seed")}
    try:
        wanted = Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise refused(CAPTIONS, error) from None
    yield from make(wanted, order.out, stopped, device=order.device)


def make(
    wanted: Settings, out: Path, stopped: Callable[[], bool] = lambda: False, *, device: str = "auto"
) -> Iterator[Progress]:
    """Do what is not done yet, and write the model's folder at the end; arguments as `train` has them."""
    check_out(out)
    kept = {**wanted.model_dump(mode="json"), "recipe": CAPTIONS}
    before = read_json(out / WORK / RECORD)
    if before and before != kept:
        raise BadInput(f"The folder {out.name!r} holds another training; give another --out, or the same settings.")
    photos = find_photos(wanted)
    write_json(out / WORK / RECORD, kept)
    trainee = ready(wanted.model, choose_device(device))
    features, rows = yield from _looked_at(photos, trainee, out / WORK / FEATURES, stopped)
    photos = [photos[row] for row in rows]
    held = split(photos, wanted)
    lesson = _Lesson(trainee, wanted, photos, features, held)
    yield from lesson.learn(out / WORK / "checkpoints", stopped)
    weights = export(trainee, out)
    facts = {"steps_done": lesson.steps, "seconds": round(lesson.seconds, 1), "photos": len(photos), "weights": weights}
    scores = {"before": lesson.before.plain(), "after": lesson.after.plain()}
    write_json(out / RECORD, {"recipe": CAPTIONS, "settings": kept, **facts, "held_out": len(held), "scores": scores})
    table = f"{len(held)} photos held out\n{lesson.before.line('before')}\n{lesson.after.line('after')}"
    yield Progress(lesson.steps, lesson.steps, "steps", "captions", text=table)


def find_photos(wanted: Settings) -> list[Photo]:
    """Return the photos with their captions, in the order of the data; rows of one photo are put together.

    Raises:
        BadInput: fewer than 20 photos have a caption.
    """
    samples = read_samples(wanted.data, image=wanted.image, caption=wanted.text).samples
    captions: dict[Any, list[str]] = {}
    first: dict[Any, ImageSample] = {}
    for sample in samples:
        key = sample.source if isinstance(sample.source, Path) else sample.name
        first.setdefault(key, sample)
        captions.setdefault(key, []).extend(text.strip() for text in sample.captions if text.strip())
    photos = [Photo(first[key], tuple(dict.fromkeys(texts))) for key, texts in captions.items() if texts]
    if len(photos) < FEWEST:
        raise BadInput(
            f"Captions are learned from at least {FEWEST} captioned photos; {wanted.data[-100:]!r} has {len(photos)}. "
            "Captions are `.txt` files next to images, or the columns `image` and `caption` of a table."
        )
    return photos


def split(photos: Sequence[Photo], wanted: Settings) -> list[int]:
    """Return the rows of the photos that are held out: those whose names' SHA-256, with the seed, come first."""

    def place(row: int) -> str:
        return hashlib.sha256(f"{wanted.seed}/{photos[row].sample.name}".encode()).hexdigest()

    return sorted(sorted(range(len(photos)), key=place)[: min(wanted.held_out, len(photos) // MOST_PART)])


def known_texts() -> tuple[str, ...]:
    """Return texts that a model knows before: names and words in several forms, colours, counts and pairs of things."""
    from workbench.neurons.vocabulary import common_words

    names, words = list(IMAGENET_CLASSNAMES), list(common_words())
    rng = random.Random(0)
    things = [word for word in words if word.isalpha()]
    return tuple(
        dict.fromkeys(
            [
                *(form.format(name) for name in (*names, *words) for form in (PHOTO, PLAIN)),
                *(f"{start}{word}" for word in words for start in ("the word ", "an emoji of a ", "a drawing of a ")),
                *(f"a photo of a {colour} {rng.choice(things)}." for colour in COLOURS for _ in range(60)),
                *(f"a photo of {count} {rng.choice(things)}s." for count in COUNTS for _ in range(60)),
                *(f"a photo of a {rng.choice(things)} and a {rng.choice(things)}." for _ in range(1000)),
            ]
        )
    )


def _looked_at(
    photos: Sequence[Photo], trainee: Trainee, file: Path, stopped: Callable[[], bool]
) -> Generator[Progress, None, tuple[Tensor, list[int]]]:
    """Return the features of readable photos and of their mirror images, (n, 2, width), and their rows."""
    from safetensors.torch import load_file, save_file

    if file.is_file():
        kept = load_file(file)
        return kept["features"], kept["rows"].tolist()
    rows: list[int] = []
    parts: list[Tensor] = []
    since = time.monotonic()
    trainee.module.eval()
    for start in range(0, len(photos), PASS):
        squares = []
        for row in range(start, min(start + PASS, len(photos))):
            try:
                squares.append(trainee.prepare(photos[row].sample.open()))
                rows.append(row)
            except BadPicture:
                continue
        if squares:
            plain = torch.stack(squares)
            parts.append(torch.stack([_features(trainee, one) for one in (plain, plain.flip(-1))], dim=1))
        if stopped():
            raise Cancelled("Stopped while it looked at the photos; the same command begins again.")
        done = min(start + PASS, len(photos))
        seconds = time.monotonic() - since
        yield Progress.timed(done, len(photos), "photos", seconds=seconds, computed=done, stage="look")
    if len(rows) < FEWEST:
        raise BadInput(f"Only {len(rows)} of {len(photos)} photos can be opened; at least {FEWEST} are needed.")
    features = torch.cat(parts)
    save_file({"features": features, "rows": torch.tensor(rows)}, file)
    return features, rows


@torch.no_grad()
def _features(trainee: Trainee, squares: Tensor) -> Tensor:
    """(n, 3, side, side) uint8 -> (n, width), before the projection where it can learn, else unit embeddings."""
    pixels = trainee.pixels(squares.to(trainee.log_scale.device))
    embedded, before = with_features(trainee.module, trainee.towers.image, pixels)
    return (functional.normalize(embedded, dim=-1) if _projection(trainee) is None else before).float().cpu()


def _projection(trainee: Trainee) -> nn.Linear | None:
    """The last linear layer of the image tower, where it stands alone."""
    head = getattr(trainee.module, "visual_projection", None)
    return head if isinstance(head, nn.Linear) else None


def _change(weight: Tensor, before: Tensor) -> Tensor:
    """Squared length of the change over the squared length before, of a matrix."""
    return (weight - before).square().sum() / before.square().sum()


@dataclass(frozen=True)
class _Scores:
    """What sentences and photos find of each other."""

    photos: RetrievalScores  # of a sentence's
    sentences: RetrievalScores  # of a photo's

    def line(self, name: str) -> str:
        """One line of the table."""
        to_photo, to_sentence = (
            " / ".join(f"{100 * (score.recall[k].value or 0):.1f}" for k in (1, 5, 10))
            for score in (self.photos, self.sentences)
        )
        return f"{name:>7}  sentence to photo R@1/5/10 {to_photo} %   photo to sentence {to_sentence} %"

    def plain(self) -> dict[str, Any]:
        """Shares with their 95 % intervals."""
        return {
            name: {f"R@{k}": [one.value, one.low, one.high] for k, one in score.recall.items()}
            for name, score in (("sentence to photo", self.photos), ("photo to sentence", self.sentences))
        }


class _Lesson:
    """Learns captions of photos whose features are known."""

    def __init__(
        self, trainee: Trainee, wanted: Settings, photos: Sequence[Photo], features: Tensor, held: Sequence[int]
    ) -> None:
        self._trainee, self._wanted, self._photos, self._held = trainee, wanted, photos, held
        self._features = features.to(trainee.log_scale.device)
        out = set(held)
        self._learned = [row for row in range(len(photos)) if row not in out]
        batches = max(1, len(self._learned) // wanted.batch)
        self.steps = wanted.steps or max(1, round(wanted.epochs * batches))
        self.seconds = 0.0
        trainee.module.eval()
        trainee.module.requires_grad_(False)
        for name, part in trainee.module.named_parameters():
            part.requires_grad_(not name.startswith((*OF_IMAGES, *OF_BOTH)))
        self._head = _projection(trainee)
        if self._head is not None:
            self._head.requires_grad_(True)
            self._projection = self._head.weight.detach().clone()
        self._texts = known_texts()
        self._known = self._embed_many(self._texts)
        self._names = self._embed_many([PHOTO.format(name) for name in IMAGENET_CLASSNAMES])
        self._words = self._written_words()
        self.before = self.after = self.measure()

    def learn(self, folder: Path, stopped: Callable[[], bool]) -> Iterator[Progress]:
        """Learn; yields a report after each step."""
        wanted, module = self._wanted, self._trainee.module
        optimiser = adamw(module.named_parameters(), decay=wanted.decay)
        learning = [part for part in module.parameters() if part.requires_grad]
        begin = 0
        if (last := checkpoints.latest(folder)) is not None:
            state = checkpoints.load(last)
            begin, self.seconds = state["step"], state["seconds"]
            module.load_state_dict(state["weights"], strict=False)
            optimiser.load_state_dict(state["optimiser"])
        since, before = time.monotonic(), self.seconds

        def save(step: int) -> None:
            weights = {name: part for name, part in module.named_parameters() if part.requires_grad}
            state = {"step": step, "seconds": self.seconds, "weights": weights, "optimiser": optimiser.state_dict()}
            checkpoints.save(folder, step, state, keep=1)

        for step in range(begin, self.steps):
            set_rate(optimiser, rate_at(step, self.steps, peak=wanted.rate, warmup=min(50, self.steps // 10)))
            losses = self._losses(step)
            total = torch.stack([getattr(wanted, f"keep_{name}", 1.0) * loss for name, loss in losses.items()]).sum()
            optimiser.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learning, 1.0)
            optimiser.step()
            spent, done = time.monotonic() - since, step + 1
            self.seconds = before + spent
            report = Progress.timed(done, self.steps, "steps", seconds=spent, computed=done - begin, stage="learn")
            values = {"loss": float(total.detach()), **{name: float(one.detach()) for name, one in losses.items()}}
            yield Progress(**{**vars(report), "values": values})
            ended = stopped()
            if ended or done % SAVE_EVERY == 0:
                save(done)
            if ended:
                raise Cancelled("Stopped; the same command continues.")
        self.after = self.measure()

    def _losses(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self._wanted.seed, step])
        rows = rng.choice(self._learned, min(self._wanted.batch, len(self._learned)), replace=False)
        some = rng.choice(len(self._texts), min(self._wanted.batch, len(self._texts)) * 3 // 4, replace=False)
        captions = [str(rng.choice(self._photos[row].captions)) for row in rows]
        texts = captions + [self._texts[one] for one in some]
        embedded = self._embed(texts)
        scale = self._trainee.log_scale.detach().exp()
        photos = self._features[torch.from_numpy(rows), torch.from_numpy(rng.integers(0, 2, len(rows)))]
        images = self._place(photos)
        losses = {
            "contrast": symmetric_cross_entropy(images, embedded[: len(rows)], scale),
            "texts": (embedded[len(rows) :] - self._known[torch.from_numpy(some)]).square().sum(-1).mean(),
        }
        if self._head is None:
            return losses
        features, places = self._words
        words = (self._place(features) - places).square().sum(-1).mean()
        change = _change(self._head.weight, self._projection)
        return {**losses, "images": words, "names": self._renamed(photos, images, scale), "projection": change}

    def _renamed(self, photos: Tensor, images: Tensor, scale: Tensor) -> Tensor:
        """Divergence of the photos' shares of a thousand names from those before."""
        old = functional.normalize(functional.linear(photos, self._projection), dim=-1)
        before, after = (functional.log_softmax(scale * one @ self._names.T, dim=-1) for one in (old, images))
        return functional.kl_div(after, before, reduction="batchmean", log_target=True)

    @torch.no_grad()
    def measure(self) -> _Scores:
        """Measure on the photos held out: ranks of each sentence's photo, and of each photo's best sentence."""
        texts = [text for row in self._held for text in self._photos[row].captions]
        owner = [at for at, row in enumerate(self._held) for _ in self._photos[row].captions]
        scores = (self._embed_many(texts) @ self._place(self._features[list(self._held), 0]).T).cpu().numpy()
        own = [[at for at, photo in enumerate(owner) if photo == row] for row in range(len(self._held))]
        return _Scores(summarise(ranks(scores, [[row] for row in owner])), summarise(ranks(scores.T, own)))

    def _place(self, features: Tensor) -> Tensor:
        return functional.normalize(features if self._head is None else self._head(features), dim=-1)

    def _embed(self, texts: Sequence[str]) -> Tensor:
        """Texts -> (n, dim) unit rows; short and long ones apart, which saves padding."""
        tokens: Tokens = self._trainee.towers.tokenize(texts)
        lengths = tokens.mask.sum(dim=1)
        order = lengths.argsort()
        device = self._trainee.log_scale.device
        parts = []
        for part in order.chunk(2):
            longest = int(lengths[part].max())
            ids, mask = (one[part, :longest].to(device) for one in (tokens.ids, tokens.mask))
            parts.append(self._trainee.towers.text(ids, mask))
        return functional.normalize(torch.cat(parts)[order.argsort()], dim=-1)

    @torch.no_grad()
    def _embed_many(self, texts: Sequence[str]) -> Tensor:
        return torch.cat([self._embed(texts[at : at + PASS]) for at in range(0, len(texts), PASS)])

    def _written_words(self) -> tuple[Tensor, Tensor]:
        """Features and places of images of written words; none where the projection does not learn."""
        from workbench.neurons import corpus

        if self._head is None:
            return self._features[:0, 0], self._features[:0, 0]
        items = [item for item in corpus.built_in() if item.form == "word"]
        parts = torch.split(torch.stack([self._trainee.prepare(corpus.open_item(item)) for item in items]), PASS)
        features = torch.cat([_features(self._trainee, part) for part in parts]).to(self._features.device)
        with torch.no_grad():
            return features, self._place(features)
