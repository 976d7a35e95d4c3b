"""Everything before stage two, step by step, from packages and a folder of photos.

Each step saves its result in `work/` beside the model, so a run that was stopped resumes after the last finished step.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from workbench.progress import Progress
from workbench.training import checkpoints
from workbench.training.pocket import (
    folding,
    head,
    joint,
    lessons,
    losses,
    opening,
    texts,
    towers,
    views,
    vocabulary,
)
from workbench.training.pocket.settings import Settings
from workbench.training.pocket.sources import Sources, read

NOUN = 40  # letters of a noun that stage two holds in place


def head_of(settings: Settings, sources: Sources, *, net: Any, work: Path) -> Iterator[Progress | head.Head]:
    """Stage one, pictures: yields progress, then the head."""
    file, steps = work / "head", settings.epochs
    done = checkpoints.latest(file)
    if done is None:
        folded = _moved(folding.folded(net), settings)
        rng, features = random.Random(settings.seed), []
        kinds = (sources.photos.full, sources.photos.small)
        for some, count, size in zip(kinds, settings.views, settings.view_sizes, strict=True):
            pictures = views.opened(some, 240)
            for number, rows in views.features(folded, views.views(pictures, count=count, size=size, rng=rng)):
                features.append(rows)
                yield Progress(number, count, "views")
        fitted = head.fit(net, torch.cat(features), dim=settings.dim, epochs=steps, seed=settings.seed)
        for epoch, loss, start in fitted:
            made = {"p": start.projection, "c": start.classes, "scale": start.scale}
            yield Progress(epoch + 1, steps, "epochs", values={"loss": loss})
        done = checkpoints.save(file, steps, made)
    state = checkpoints.load(done)
    yield head.Head(state["p"], state["c"], state["scale"])


def _moved(folded: Any, settings: Settings) -> Any:
    """A folded tower on the device where it is to run."""
    return folded.to(device=settings.device, memory_format=torch.channels_last)


def lessons_of(settings: Settings, sources: Sources, net: Any) -> lessons.Lessons:
    """What stage two asks besides, as it begins."""
    units = lessons.channels(net.classifier.weight, sources.bank)
    return lessons.Lessons(units, sources.bank.alike, middle=towers.MIDDLE_WIDTHS[settings.image_tower])


def towers_of(settings: Settings, *, net: Any, teacher: Any, pieces: torch.Tensor, start: head.Head) -> towers.Towers:
    """Both towers at the beginning of stage one's texts."""
    torch.manual_seed(settings.seed)
    image = folding.folded(net).to(memory_format=torch.channels_last)
    image.requires_grad_(True)
    made = towers.Towers(image, towers.text_tower(teacher, pieces), dim=settings.dim, frozen=settings.frozen)
    with torch.no_grad():
        made.visual_projection.weight.copy_(start.projection)
        made.logit_scale.copy_(torch.tensor(start.scale).log())
    return made


def words_of(sources: Sources, work: Path) -> tuple[Any, Any, torch.Tensor]:
    """The whole tokenizer, the pruned one, and which pieces it kept."""
    whole, file = vocabulary.tokenizer(towers.minilm_folder() / "vocab.txt"), work / "vocab.txt"
    if not file.exists():
        corpus = [text for synset in sources.lexicon.nouns for text in (*synset.words, synset.gloss)]
        names = sorted(set(sources.bank.names).difference(sources.bank.things))
        vocabulary.write(whole, vocabulary.chosen(whole, names=names, texts=corpus), file)
    known = whole.get_vocab()
    pieces = torch.tensor([known[piece] for piece in file.read_text(encoding="utf-8").splitlines()])
    return whole, vocabulary.tokenizer(file), pieces


@dataclass(frozen=True)
class Ready:
    """Everything that stage two needs."""

    run: joint.JointRun
    teachers: losses.Teachers
    sources: Sources
    before: dict[str, torch.Tensor]  # the towers as stage two found them, on the CPU


def prepare(settings: Settings, out: Path, stopped: Callable[[], bool]) -> Iterator[Progress | Ready]:
    """Do everything before stage two that is not done yet: yields progress, and at last what is ready."""
    work = out / "work"
    sources = read(settings, work)
    net, teacher = towers.locked(settings.image_tower), towers.minilm()
    whole, tokenizer, pieces = words_of(sources, work)
    start: Any = None
    for row in head_of(settings, sources, net=net, work=work):
        if isinstance(row, head.Head):
            start = row
        else:
            yield row
            if stopped():
                return
    anchor_texts, vectors = _anchors(settings, sources, work, teacher=teacher, whole=whole)
    locked = _moved(folding.folded(net), settings)
    locked.requires_grad_(False)
    if settings.start is not None:
        opening.same_pieces(settings.start, work / "vocab.txt")
        parts = copy.deepcopy(net), towers.text_tower(teacher, pieces)
        made = opening.opened(settings.start, net=parts[0], text=parts[1], frozen=settings.frozen)
        before = copy.deepcopy(made.state_dict())
        made.to(settings.device)
    else:
        made = towers_of(settings, net=net, teacher=teacher, pieces=pieces, start=start).to(settings.device)
        lesson = texts.Lesson(start, sources.bank, anchor_texts, vectors, settings.text_steps, settings.seed)
        yield from _texts_of(settings, made, lesson, tokenizer=tokenizer, work=work, stopped=stopped)
        if (done := checkpoints.latest(work / "texts")) is None:  # stopped
            return
        before = checkpoints.load(done)["towers"]
        made.load_state_dict(before)
    run = joint.begin(made, lessons_of(settings, sources, net).to(settings.device), settings.pace)
    if (last := checkpoints.latest(work / "joint")) is not None:
        run.restore(checkpoints.load(last))
    short = [place for place, text in enumerate(anchor_texts) if len(text) < NOUN]
    anchors = [anchor_texts[place] for place in short], vectors[torch.tensor(short)]
    teachers = losses.Teachers(locked, start, tokenizer, sources.lexicon.first(), *anchors)
    yield Ready(run, teachers.to(run.towers.device), sources, before)


def _texts_of(
    settings: Settings,
    made: towers.Towers,
    lesson: texts.Lesson,
    *,
    tokenizer: Any,
    work: Path,
    stopped: Callable[[], bool],
) -> Iterator[Progress]:
    """Stage one, texts, where it is not done yet."""
    if checkpoints.latest(work / "texts") is not None:
        return
    for step, parts in texts.fit(made, tokenizer, lesson):
        yield Progress(step + 1, settings.text_until, "steps", values={"loss": sum(parts.values())})
        if stopped():
            return
        if step + 1 == settings.text_until:
            break
    checkpoints.save(work / "texts", settings.text_until, {"towers": made.state_dict()})


def _anchors(
    settings: Settings, sources: Sources, work: Path, *, teacher: Any, whole: Any
) -> tuple[list[str], torch.Tensor]:
    """Texts and where MiniLM has them; computed once."""
    anchor_texts = texts.anchors(sources.lexicon, sources.bank, count=settings.anchors, seed=settings.seed)
    file = work / "anchors"
    if (done := checkpoints.latest(file)) is None:
        vectors = texts.meant(teacher, whole, anchor_texts).half()
        done = checkpoints.save(file, 1, {"vectors": vectors, "texts": json.dumps(anchor_texts)})
    state = checkpoints.load(done)
    return json.loads(state["texts"]), state["vectors"].float()
