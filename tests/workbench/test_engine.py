"""Sessions answer as the model itself does, embed nothing twice, keep apart what belongs apart, and end cleanly."""

from __future__ import annotations

import pickle
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.backend import Tokens
from workbench.cache import DiskCache
from workbench.checkpoints.shipped import FAKE, POCKET
from workbench.engine import Engine, Loader, ModelRef, Task
from workbench.engine.loaders import LOADERS
from workbench.engine.tasks import TASKS
from workbench.errors import BadPicture, Cancelled, DeadlinePassed, UnknownName, Unsupported, WeightsMissing
from workbench.fake import FakeBackend
from workbench.loading.torch_backend import TorchBackend
from workbench.progress import Progress
from workbench.scheduler import CancelToken
from workbench.zeroshot import classify


class Counted:
    """What the towers were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pictures: list[int] = []
        self.texts: list[int] = []
        pixels, tokens = TorchBackend.encode_pixels, TorchBackend.encode_tokens

        def encode_pixels(backend: TorchBackend, batch: torch.Tensor) -> torch.Tensor:
            self.pictures.append(len(batch))
            return pixels(backend, batch)

        def encode_tokens(backend: TorchBackend, batch: Tokens) -> torch.Tensor:
            self.texts.append(len(batch.ids))
            return tokens(backend, batch)

        monkeypatch.setattr(TorchBackend, "encode_pixels", encode_pixels)
        monkeypatch.setattr(TorchBackend, "encode_tokens", encode_tokens)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(monkeypatch)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(default="fake", device="cpu") as made:
        yield made


def colours(number: int) -> list[Image.Image]:
    return [Image.new("RGB", (96, 96), (10 * n, 200 - 10 * n, 20)) for n in range(number)]


def test_a_session_answers_as_the_shipped_model_itself(pocket: TorchBackend, photos: Path) -> None:
    files = [photos / "chelsea.png", photos / "coffee.png", photos / "rocket.jpg"]
    labels = ["cat", "cup of coffee", "rocket"]
    with Engine(device="cpu", dtype="float32") as engine, engine.session("ann") as session:
        answer = classify(session, files, labels)
        torch.testing.assert_close(answer.cosines, classify(pocket, files, labels).cosines, atol=1e-5, rtol=0)
        assert answer.cosines.argmax(dim=1).tolist() == [0, 1, 2]
        assert (session.dim, session.fingerprint) == (pocket.dim, pocket.fingerprint)
        assert session.spec.key == "pocket"
        assert session.prepare(Image.open(files[0]).convert("RGB")).shape == (3, session.image_size, session.image_size)
        assert session.read(["a cat"])[0].text == "a cat"


def test_shapes_and_lengths(engine: Engine) -> None:
    with engine.session("ann") as session:
        pictures, texts = session.embed_images(colours(3)), session.embed_texts(["red", "blue", "red"])
    for rows in (pictures, texts):
        assert rows.shape == (3, session_dim())
        assert rows.dtype == torch.float32
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
    assert torch.equal(texts[0], texts[2])


def session_dim() -> int:
    return FakeBackend().dim


def test_changing_one_of_twenty_labels_embeds_one_labels_prompts(engine: Engine, counted: Counted) -> None:
    labels, templates = [f"label {n}" for n in range(20)], ["a photo of a {}.", "a drawing of a {}."]
    picture = colours(1)
    with engine.session("ann") as session:
        classify(session, picture, labels, templates=templates)
        assert (sum(counted.texts), sum(counted.pictures)) == (40, 1)
        classify(session, picture, [*labels[:19], "another"], templates=templates)
    assert (sum(counted.texts), sum(counted.pictures)) == (42, 1)


def test_more_texts_than_may_wait_are_embedded_all_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 labels in 80 templates; and a second visitor has room beside them."""
    monkeypatch.setattr("workbench.scheduler.worker.MAX_ITEMS", 300)
    prompts = [f"a photo of a thing{number % 60}, style {number // 60}" for number in range(4800)]
    with engine.session("many") as session:
        rows = session.embed_texts(prompts)
    assert rows.shape == (4800, session_dim())
    with engine.session("other") as session:
        assert (session.embed_texts(prompts[-1:]) - rows[-1:]).abs().max() < 1e-6


def test_a_file_seen_before_is_not_decoded_again_under_any_name(
    engine: Engine, counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colours(1)[0].save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    with engine.session("ann") as session:
        first = session.embed_images([tmp_path / "a.png"])
        monkeypatch.setattr("workbench.engine.embed_call.prepare_file", lambda *_: pytest.fail("decoded again"))
        assert torch.equal(first, session.embed_images([tmp_path / "b.png"]))
    assert counted.pictures == [1]


def test_a_small_image_does_not_wait_for_large_ones(engine: Engine, tmp_path: Path) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    Image.new("RGB", (31, 33), "teal").save(small)
    Image.new("L", (2100, 2000), 90).save(large)
    done = threading.Event()
    for _ in range(2):  # as many as work at once
        engine._context.large.submit(done.wait, 60)
    with engine.session("one") as session, ThreadPoolExecutor(2) as pool:
        try:
            waiting = pool.submit(session.embed_images, [large])
            assert pool.submit(session.embed_images, [small]).result(20).shape[0] == 1
            assert not waiting.done()
        finally:
            done.set()
        assert waiting.result(30).shape[0] == 1


def test_an_empty_file_is_no_image(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    with engine.session("ann") as session, pytest.raises(BadPicture, match="empty"):
        session.embed_images([tmp_path / "empty.png"])


def test_a_long_job_gives_the_processor_back_after_a_few_images(counted: Counted) -> None:
    with Engine(default="pocket", device="cpu") as engine, engine.session("a", "pocket") as session:
        pixels = torch.randint(0, 256, (19, 3, session.image_size, session.image_size), dtype=torch.uint8)
        rows = session.encode_pixels(pixels)
        assert counted.pictures == [8, 8, 3]
        torch.testing.assert_close(rows[8:], session.encode_pixels(pixels[8:]), atol=1e-5, rtol=0)
        assert rows.shape == (19, session.dim)


def test_callers_cannot_change_each_others_answers(engine: Engine) -> None:
    with engine.session("ann") as session:
        first = session.embed_texts(["red"])
        kept = first.clone()
        first.zero_()
        assert torch.equal(session.embed_texts(["red"]), kept)


def test_a_bad_picture_fails_alone(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    errors, rows = [], []

    def bad() -> None:
        with engine.session("ann") as session:
            try:
                session.embed_images([*colours(2), tmp_path / "bad.png"])
            except BadPicture as error:
                errors.append(str(error))

    def good() -> None:
        with engine.session("ben") as session:
            rows.append(session.embed_images(colours(3)))

    threads = [threading.Thread(target=target) for target in (bad, good, bad, good)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 2
    assert "'bad.png'" in errors[0]
    assert [tuple(result.shape) for result in rows] == [(3, session_dim())] * 2
    assert engine._context.cache.in_flight == 0
    with engine.session("ann") as session, pytest.raises(BadPicture, match=r"no image file 'none\.png'"):
        session.embed_images([tmp_path / "none.png"])


def test_many_visitors_get_their_own_and_common_texts_are_embedded_once(engine: Engine, counted: Counted) -> None:
    alone = FakeBackend()
    problems: list[str] = []

    def visit(number: int) -> None:
        picture = Image.new("RGB", (96, 96), (number * 20, 0, 255 - number * 20))
        with engine.session(f"visitor {number}") as session:
            for turn in range(5):
                rows = session.embed_texts(["common", f"own {number} {turn}"])
                expected = alone.embed_texts(["common", f"own {number} {turn}"])
                problems.extend(["text"] * (not torch.allclose(rows, expected, atol=1e-5)))
            expected = alone.embed_images([picture])
            problems.extend(["picture"] * (not torch.allclose(session.embed_images([picture]), expected, atol=1e-5)))

    with engine.session("first"):
        counted.texts.clear()
    threads = [threading.Thread(target=visit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    reference = 8 * 5 * 2
    assert sum(counted.texts) - reference == 8 * 5 + 1


def test_one_visitors_change_of_mind_is_not_anothers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    token, entered = CancelToken(), threading.Event()
    real = TorchBackend.prepare

    def slow(backend: TorchBackend, image: Image.Image) -> torch.Tensor:
        entered.set()
        time.sleep(0.1)
        return real(backend, image)

    monkeypatch.setattr(TorchBackend, "prepare", slow)
    outcomes: dict[str, Any] = {}

    def visit(name: str, token: CancelToken | None) -> None:
        try:
            with engine.session(name, token=token) as session:
                outcomes[name] = session.embed_images(colours(1))
        except Cancelled as error:
            outcomes[name] = error

    ann = threading.Thread(target=visit, args=("ann", token))
    ann.start()
    entered.wait(5)
    ben = threading.Thread(target=visit, args=("ben", None))
    ben.start()
    token.cancel()
    ann.join(5)
    ben.join(5)
    assert isinstance(outcomes["ann"], Cancelled)
    assert outcomes["ben"].shape == (1, session_dim())
    assert engine._context.cache.in_flight == 0


def test_work_ends_when_its_owner_leaves_and_others_go_on(engine: Engine) -> None:
    ended: dict[str, float] = {}

    def count(*_: Any) -> Iterator[int]:
        for number in range(100):
            time.sleep(0.02)
            yield number

    def work(owner: str) -> int:
        try:
            with engine.session(owner, "fake") as session:
                return sum(1 for _ in session.steps(count)) + sum(1 for _ in engine.stream(count, owner=owner))
        finally:
            ended[owner] = time.monotonic()

    with ThreadPoolExecutor(2) as threads:
        leaving, staying = threads.submit(work, "a|page"), threads.submit(work, "b|page")
        time.sleep(0.5)
        begun = time.monotonic()
        engine.leave("a|page")
        engine.leave("nobody")
        with pytest.raises(Cancelled):
            leaving.result(5)
        assert ended["a|page"] - begun < 1.0
        assert staying.result(60) == 200
    assert not engine._working


def test_steps_run_one_at_a_time_and_end_with_the_session(engine: Engine) -> None:
    closed = threading.Event()

    def work(backend: TorchBackend) -> Iterator[float]:
        try:
            while True:
                yield backend.logit_scale
        finally:
            closed.set()

    with engine.session("ann") as session:
        stream = session.steps(work)
        assert next(stream) == next(stream) == session.logit_scale
    assert closed.wait(2)
    with pytest.raises(Cancelled):
        next(stream)


def test_a_deadline_ends_a_session(engine: Engine) -> None:
    def work(backend: TorchBackend) -> Iterator[int]:
        while True:
            time.sleep(0.01)
            yield 1

    with engine.session("ann", deadline=0.2) as session, pytest.raises(DeadlinePassed):
        for _ in session.steps(work):
            pass


def test_a_session_that_has_ended_refuses(engine: Engine) -> None:
    with engine.session("ann") as session:
        pass
    for use in (
        lambda: session.embed_texts(["a"]),
        lambda: session.embed_images(colours(1)),
        lambda: session.steps(lambda backend: iter([1])),
        lambda: session.read(["a"]),
        lambda: session.dim,
    ):
        with pytest.raises(RuntimeError, match="has ended"):
            use()


def test_no_row_is_shared_between_models(tmp_path: Path) -> None:
    """The same text and the same picture, asked of two models of unlike width through one engine and one disk."""
    picture = tmp_path / "one.png"
    Image.new("RGB", (40, 40), (200, 0, 0)).save(picture)
    with Engine(device="cpu", disk=DiskCache(tmp_path / "disk")) as engine:
        for _ in range(2):
            for key, width in ((row.key, row.dim) for row in (POCKET, FAKE)):
                with engine.session("a", key, keep_pictures=True) as session:
                    assert session.dim == width
                    for given in (picture, Image.open(picture)):
                        assert session.embed_images([given]).shape == (1, width)
                    assert session.embed_texts(["a red square"]).shape == (1, width)


def test_visitors_pictures_never_reach_the_disk(tmp_path: Path, counted: Counted) -> None:
    disk = DiskCache(tmp_path)
    with Engine(default="fake", device="cpu", disk=disk) as engine:
        with engine.session("visitor") as session:
            session.embed_images(colours(2))
            session.embed_texts(["red"])
        assert [(kept.kind, kept.rows) for kept in disk.ls()] == [("text", 1)]
        with engine.session("owner", keep_pictures=True) as session:
            rows = session.embed_images([*colours(3)])
        assert {kept.kind: kept.rows for kept in disk.ls()}.get("picture") == 1, "only what this session embedded"
    counted.pictures.clear()
    counted.texts.clear()
    with Engine(default="fake", device="cpu", disk=DiskCache(tmp_path)) as later, later.session("owner") as session:
        session.embed_texts(["red"])
    with (
        Engine(default="fake", device="cpu", disk=DiskCache(tmp_path)) as later,
        later.session("owner", keep_pictures=True) as session,
    ):
        assert torch.equal(session.embed_images([colours(3)[2]]), rows[2:])
    assert counted.pictures == counted.texts == []


class Far:
    """A device in another process, for all the engine knows: arrays in, arrays out."""

    def __init__(self) -> None:
        self.backend = FakeBackend()
        self.threads: list[str] = []

    def stream(self, task: str, keys: tuple[str, ...], payload: Any) -> Iterator[Any]:
        assert keys == ("fake",)
        self.threads.append(threading.current_thread().name)
        for value in TASKS[task].run(self.backend, pickle.loads(pickle.dumps(payload))):
            yield pickle.loads(pickle.dumps(value))


def _count_up(model: Any, *rest: Any) -> Iterator[Progress]:
    *others, payload = rest
    for step in range(payload):
        preview = np.full((2, 2, 3), step, np.uint8)
        yield Progress(step + 1, payload, "steps", text=f"{model.spec.key} and {len(others)} more", preview=preview)


@pytest.fixture
def count_up(monkeypatch: pytest.MonkeyPatch) -> Task:
    task = Task("count up", _count_up, float)
    monkeypatch.setitem(TASKS, task.name, task)  # type: ignore[arg-type]
    return task


@pytest.mark.parametrize("remote", [False, True])
def test_a_task_streams_the_same_from_here_and_from_another_process(remote: bool, count_up: Task) -> None:
    with Engine(default="fake", device="cpu", remote=Far() if remote else None) as engine, engine.session("a") as one:
        values = list(one.stream(count_up, 3))
    assert [(value.done, value.text) for value in values] == [(n, "fake and 0 more") for n in (1, 2, 3)]
    assert [int(value.preview.max()) for value in values] == [0, 1, 2]


def test_a_remote_stream_ends_with_the_token(count_up: Task) -> None:
    token = CancelToken()
    with Engine(default="fake", device="cpu", remote=Far()) as engine, engine.session("a", token=token) as session:
        values = session.stream(count_up, 9)
        assert (next(values).done, next(values).done) == (1, 2)
        token.cancel()
        with pytest.raises(Cancelled):
            next(values)


def test_a_session_with_several_models_hands_all_of_them_to_a_job(
    count_up: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = torch.nn.Linear(4, 1)
    loader = Loader(lambda key, device, dtype: prior if (key, device) == ("small", "cpu") else None, lambda key: 5)
    monkeypatch.setitem(LOADERS, "prior", loader)
    with Engine(default="fake", device="cpu") as engine:
        with pytest.raises(UnknownName, match="prior"), engine.session("a", others=[ModelRef("voice", "small")]):
            pass
        with engine.session("a", "fake", others=["pocket", ModelRef("prior", "small")]) as session:
            (names,) = session.steps(lambda *models: iter([[type(model).__name__ for model in models]]))
            assert names == ["FakeBackend", "TorchBackend", "Linear"]
            judge, made = session.others
            assert made is prior
            assert judge.embed_texts(["a cat"]).shape == (1, 384)
            assert [value.text for value in session.stream(count_up, 1)] == ["fake and 2 more"]
            assert engine.loaded() == ["fake", "pocket"]
        with pytest.raises(RuntimeError, match="ended"):
            judge.embed_texts(["a dog"])


def test_every_task_of_the_table_is_asked_for_its_time_before_it_runs() -> None:
    pixels = np.zeros((400, 3, 2, 2), np.uint8)
    assert TASKS["embed pixels"].seconds(pixels) == 2.0
    assert TASKS["embed tokens"].seconds((pixels[:, 0, 0], pixels[:, 0, 0])) == 0.4
    assert TASKS["explain"].seconds(None) == 20.0


def test_a_remote_device_is_called_in_the_callers_thread_and_fills_the_cache(tmp_path: Path) -> None:
    far, alone = Far(), FakeBackend()
    before = set(threading.enumerate())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with Engine(default="fake", device="cpu", remote=far) as engine, engine.session("ann") as session:
        for _ in range(2):
            torch.testing.assert_close(session.embed_images(colours(5)), alone.embed_images(colours(5)))
            torch.testing.assert_close(session.embed_texts(["red", "blue"]), alone.embed_texts(["red", "blue"]))
        assert far.threads == [threading.current_thread().name] * 2
        assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "device"]
        with pytest.raises(Unsupported):
            session.steps(lambda backend: iter([1]))
        with pytest.raises(BadPicture):
            session.embed_images([Image.new("RGB", (9, 9), "red"), tmp_path / "bad.png"])
        assert engine._context.cache.in_flight == 0


def test_status_tells_loading_ready_and_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(default="fake", device="cpu") as engine:
        assert engine.status() == {"status": "loading", "model": "fake", "device": "cpu"}
        engine.warm().join(20)
        assert engine.status() == {"status": "ready", "model": "fake", "device": "cpu"}
        assert engine.loaded() == ["fake"]

    def missing(key: str, **_: object) -> None:
        raise WeightsMissing("fetch it first")

    monkeypatch.setattr("workbench.loading.load", missing)
    with Engine(default="fake", device="cpu") as engine:
        engine.warm().join(20)
        assert engine.status()["status"] == "degraded"
        assert engine.trouble == "fetch it first"
    with pytest.raises(UnknownName):
        Engine(default="nonsense")


def test_closing_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(threading.enumerate())
    engine = Engine(default="fake", device="cpu")
    with engine.session("ann") as session:
        session.embed_images(colours(3))
    engine.close()
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left == set()
    assert engine.loaded() == []
    assert "workbench.engine" in sys.modules
