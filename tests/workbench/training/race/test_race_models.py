"""Losses and scores of the race's objectives against sums written out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workbench.training.race import captions
from workbench.training.race.models import BagOfWords, Contrast, RaceModel, WordPredictor
from workbench.training.shapes import COLOURS, SHAPES, draw

N, WORDS = 6, len(captions.VOCABULARY)


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(N, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def ids() -> Tensor:
    rng = np.random.default_rng(3)
    return captions.token_ids([captions.caption(drawing, rng) for drawing in draw(N, seed=0)])


def made(build: type[nn.Module], **options: object) -> nn.Module:
    torch.manual_seed(0)
    return build(**options).double()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_captions_hold_only_words_of_the_vocabulary_and_name_what_is_drawn() -> None:
    random = np.random.default_rng(0)
    for drawing in draw(300, seed=1):
        words = captions.caption(drawing, random)
        assert len(words) <= 14
        assert set(words) <= set(captions.VOCABULARY)
        others = {word for name in (*COLOURS, *SHAPES) for word in captions.SYNONYMS[name]}
        own = {*captions.SYNONYMS[drawing.colour], *captions.SYNONYMS[drawing.shape]}
        assert not (set(words) & (others - own))
    assert len(set(captions.VOCABULARY)) == WORDS


def test_labels_are_the_48_pairs_with_two_sentences_each() -> None:
    labels = captions.label_sentences()
    assert len(labels) == 48
    assert all(sentences.shape == (2, 4) for sentences in labels)
    for drawing in draw(20, seed=2):
        words = [captions.VOCABULARY[number] for number in labels[captions.label_of(drawing)][0].tolist()]
        assert words == ["a", "small", drawing.colour, drawing.shape]


def test_the_softmax_loss_is_the_mean_of_two_cross_entropies(pixels: Tensor, ids: Tensor) -> None:
    model = made(Contrast)
    images, texts = model.images(pixels.double()), model.texts(ids)
    logits = (images @ texts.T / 0.07).detach().numpy()
    by_hand = 0.0
    for i in range(N):
        by_hand += -logits[i, i] + math.log(sum(math.exp(logits[i, j]) for j in range(N)))
        by_hand += -logits[i, i] + math.log(sum(math.exp(logits[j, i]) for j in range(N)))
    assert model.loss(pixels.double(), ids, rng()).item() == pytest.approx(by_hand / (2 * N), abs=1e-5)


def test_the_sigmoid_loss_asks_of_every_pair(pixels: Tensor, ids: Tensor) -> None:
    model = made(Contrast, sigmoid=True)
    cosines = (model.images(pixels.double()) @ model.texts(ids).T).detach().numpy()
    by_hand = 0.0
    for i in range(N):
        for j in range(N):
            logit = 10 * cosines[i, j] - 10
            by_hand += math.log(1 + math.exp(-logit if i == j else logit))
    assert model.loss(pixels.double(), ids, rng()).item() == pytest.approx(by_hand / N, abs=1e-5)


def test_the_bag_of_words_loss_weighs_distinct_words_equally(pixels: Tensor, ids: Tensor) -> None:
    model = made(BagOfWords)
    log_p = model.log_probabilities(pixels.double()).detach().numpy()
    assert np.exp(log_p).sum(axis=1) == pytest.approx(np.ones(N))
    each = [np.mean([log_p[i, word] for word in {*ids[i].tolist()} - {0}]) for i in range(N)]
    assert model.loss(pixels.double(), ids, rng()).item() == pytest.approx(-np.mean(each), abs=1e-6)


def test_the_caption_loss_is_the_mean_over_words_given_the_earlier_ones(pixels: Tensor, ids: Tensor) -> None:
    model = made(WordPredictor, masked=False)
    cells = model.projection(model.image_tower.cells(pixels.double()))
    costs = []
    for i in range(N):
        words = [word for word in ids[i].tolist() if word]
        for at, word in enumerate(words):
            seen = torch.tensor([[captions.START, *words[:at]]])  # nothing of what comes
            costs.append(-model.logits(cells[i : i + 1], seen)[0, -1].log_softmax(0)[word].item())
    assert model.loss(pixels.double(), ids, rng()).item() == pytest.approx(np.mean(costs), abs=1e-6)


def test_the_masked_loss_hides_one_word_and_shows_all_others(pixels: Tensor, ids: Tensor) -> None:
    model = made(WordPredictor, masked=True)
    cells = model.projection(model.image_tower.cells(pixels.double()))
    lengths = [sum(word != 0 for word in row) for row in ids.tolist()]
    costs = []
    for i, draw_ in enumerate(torch.rand(N, generator=rng(5)).tolist()):
        words, at = ids[i][: lengths[i]].clone(), int(draw_ * lengths[i])
        hidden = int(words[at])
        words[at] = captions.MASK
        costs.append(-model.logits(cells[i : i + 1], words[None])[0, at].log_softmax(0)[hidden].item())
    assert model.loss(pixels.double(), ids, rng(5)).item() == pytest.approx(np.mean(costs), abs=1e-6)


@pytest.mark.parametrize("masked", [False, True])
def test_a_label_scores_the_likelihood_of_its_sentences(pixels: Tensor, masked: bool) -> None:
    model = made(WordPredictor, masked=masked)
    label = captions.label_sentences()[5]
    cells = model.projection(model.image_tower.cells(pixels.double()))
    for i in range(2):
        total = 0.0
        for sentence in label:
            log_p = 0.0
            for at, word in enumerate(sentence.tolist()):
                shown = sentence.clone()
                if masked:
                    shown[at] = captions.MASK
                else:
                    shown = torch.tensor([captions.START, *sentence.tolist()[:-1]])
                log_p += model.logits(cells[i : i + 1], shown[None])[0, at].log_softmax(0)[word].item()
            total += math.exp(log_p)
        scores = model.scores(pixels.double(), [label])
        assert scores.shape == (N, 1)
        assert scores[i, 0].item() == pytest.approx(math.log(total), abs=1e-6)


def test_scores_of_the_bag_and_of_contrast_by_hand(pixels: Tensor) -> None:
    label = captions.label_sentences()[7]
    bag = made(BagOfWords)
    log_p = bag.log_probabilities(pixels.double()).detach()
    by_hand = torch.log(sum(torch.exp(log_p[:, sentence].sum(dim=1)) for sentence in label))
    torch.testing.assert_close(bag.scores(pixels.double(), [label])[:, 0], by_hand)
    clip = made(Contrast)
    rows = clip.texts(label)
    middle = (rows[0] + rows[1]) / (rows[0] + rows[1]).norm()
    torch.testing.assert_close(clip.scores(pixels.double(), [label])[:, 0], clip.images(pixels.double()) @ middle)


def test_all_runners_have_the_same_image_tower() -> None:
    sizes = set()
    for model in (Contrast(), Contrast(sigmoid=True), BagOfWords(), WordPredictor(masked=True)):
        tower = model.image_tower
        sizes.add(tuple(tuple(parameter.shape) for parameter in tower.parameters()))
        assert tower.cells(torch.zeros(2, 3, 32, 32)).shape == (2, 16, 64)
        assert tower.pooled(torch.zeros(2, 3, 32, 32)).shape == (2, 128)
    assert len(sizes) == 1


def test_every_runner_does_what_a_race_asks() -> None:
    for model in (Contrast(), BagOfWords(), WordPredictor(masked=False)):
        runner: RaceModel = model
        assert callable(runner.loss)
        assert callable(runner.scores)
