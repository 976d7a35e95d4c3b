"""The notebook surface: one image or many in any form, one result or many, and results that show themselves."""

from __future__ import annotations

import gc
import io
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import workbench
from workbench import loading
from workbench.engine import Engine
from workbench.errors import BadInput, BadPicture
from workbench.fake import FakeBackend
from workbench.model import Model
from workbench.pictures import sample, sample_path
from workbench.progress import Progress
from workbench.results.predictions import Predictions
from workbench.surface import as_model
from workbench.zeroshot import classify

LABELS = ["cat", "dog", "rocket"]


@pytest.fixture(scope="module")
def pocket() -> Model:
    return workbench.load("pocket", device="cpu")


def forms(path: Path) -> dict[str, object]:
    """Return one image in every form that is taken."""
    array = np.array(sample("cat"))
    return {
        "path": path, "text": str(path), "Pillow": sample("cat"), "bytes": path.read_bytes(),
        "file": io.BytesIO(path.read_bytes()), "array": array, "channels first": np.moveaxis(array, -1, 0),
        "floats": array / 255.0, "tensor": torch.from_numpy(array), "tensor of floats": torch.from_numpy(array) / 255,
        "tensor, channels first": torch.from_numpy(array).permute(2, 0, 1).float() / 255,
    }  # fmt: skip


def test_an_image_gives_the_same_answer_in_every_form(pocket: Model) -> None:
    expected = classify(loading.load("pocket", device="cpu"), [sample_path("cat")], LABELS).probabilities[0].numpy()
    for name, image in forms(sample_path("cat")).items():
        answer = pocket.classify(image, LABELS)  # type: ignore[call-overload]
        np.testing.assert_allclose(answer.probabilities, expected, atol=1e-5, err_msg=name)


def test_one_image_gives_one_result_and_many_give_many(pocket: Model) -> None:
    one, many = pocket.classify(sample("cat"), LABELS), pocket.classify([sample("cat"), sample("rocket")], LABELS)
    assert one.label == "cat"
    assert isinstance(many, Predictions)
    assert [row.label for row in many] == ["cat", "rocket"]
    assert many.probabilities.shape == many.cosines.shape == (2, 3)
    assert many.to_frame().shape == (2, 5)
    assert many[1:][0].to_dict()["labels"][0]["label"] == "rocket"
    batch = np.stack([np.array(sample("cat").resize((64, 64))), np.array(sample("rocket").resize((64, 64)))])
    assert pocket.embed_images(batch).shape == (2, pocket.dim)
    assert pocket.embed_images(batch[0]).shape == (pocket.dim,)
    assert workbench.classify(pocket, sample("cat"), LABELS).label == "cat"


@pytest.mark.parametrize("image", [
    np.zeros((2, 2, 7), np.uint8), np.full((8, 8, 3), 2.0), np.full((8, 8, 3), np.nan), np.zeros((8, 8), np.int64),
    7, io.StringIO("text"), b"no image",
])  # fmt: skip
def test_what_is_no_image_is_refused(pocket: Model, image: object) -> None:
    with pytest.raises(BadPicture):
        pocket.classify(image, LABELS)  # type: ignore[call-overload]


def test_embeddings_are_unit_rows_of_float32_and_long_input_reports_its_progress(pocket: Model) -> None:
    reports: list[Progress] = []
    texts = [f"number {n}" for n in range(300)]
    rows = pocket.embed_texts(texts, progress=reports.append)
    assert rows.shape == (300, pocket.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(rows[299], pocket.embed_texts("number 299"), atol=1e-5)
    assert [(now.done, now.total) for now in reports] == [(256, 300), (300, 300)]


def test_a_stream_goes_on_after_an_image_that_cannot_be_read(pocket: Model) -> None:
    given = [sample("cat"), "missing.jpg", sample_path("rocket")]
    rows = list(pocket.classify_each(iter(given), LABELS))
    assert [row.label for row in rows] == ["cat", "", "rocket"]
    assert "missing.jpg" in rows[1].error
    assert [row.vector is None for row in pocket.embed_each(given)] == [False, True, False]


def test_a_model_is_a_key_a_folder_a_session_or_a_checkpoint_of_any_name(pocket: Model) -> None:
    fake = FakeBackend(gullibility=1.0)
    fake.spec = fake.spec.__class__(key="somebody's own", title="Own", loader="fake")
    red = Image.new("RGB", (80, 80), (220, 20, 20))
    assert as_model(fake).classify(red, ["blue", "red"]).label == "red"
    assert as_model(loading.load("pocket").spec.folder).dim == 384  # type: ignore[arg-type]
    assert as_model(pocket) is pocket
    with Engine(default="fake", device="cpu") as engine, engine.session("test") as session:
        assert Model(session).classify(red, ["blue", "red"]).model == "fake"
    with pytest.raises(BadInput, match="got int"):
        as_model(7)  # type: ignore[arg-type]


def test_a_model_is_freed_when_it_is_dropped() -> None:
    model = workbench.load("fake")
    model.embed_texts("red")
    backend, engine = weakref.ref(model.backend), weakref.ref(model._own[0])
    del model
    for _ in range(100):  # the device's thread ends by itself
        gc.collect()
        if backend() is engine() is None:
            break
        threading.Event().wait(0.02)
    assert backend() is engine() is None


def test_text_of_users_is_escaped(pocket: Model) -> None:
    label = "<script>alert(1)</script>"
    results = [pocket.classify(sample("cat"), [label]), pocket.classify([sample("cat")], [label])]
    for result in (*results, pocket.explain(sample("cat"), [label, "dog"], label=label)):
        assert "<script" not in result._repr_html_()
        assert "&lt;script" in result._repr_html_()
        assert len(repr(result)) < 120
