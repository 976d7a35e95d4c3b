"""Many visitors at once: each asks about one new picture, waits, and asks again.

Ours is the engine that serves the browser (scheduler, micro-batches, cache). The peer is what a plain server does:
the open_clip loop behind a lock. Every visitor's pictures are different, so that no answer comes from a cache.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.cases import TEMPLATES, quantile, timed
from benchmarks.material import LABELS, BenchmarkData

Ask = Callable[..., object]  # (visitor, pictures[, labels])


def measure(material: BenchmarkData, users: Sequence[int] = (1, 8, 32), questions: int = 4) -> dict[str, Any]:
    """Latency and throughput under growing numbers of visitors, and 8 of them against one loop of batches of 8."""
    fresh = _fresh_pictures(material)
    with _engine(material) as ask:
        ask("warm-up", fresh())
        rows = [_crowd("ours", ask, fresh, users=n, questions=questions) for n in users]
        batches = [[fresh()[0] for _ in range(8)] for _ in range(questions)]
        seconds = min(timed(lambda b=batch: ask("batch", b)) for batch in batches)  # type: ignore[misc]
        label = _changed_label(ask, [fresh()[0] for _ in material.pictures])
    locked = _locked_open_clip(material)
    locked("warm-up", fresh())
    rows += [_crowd("open_clip behind a lock", locked, fresh, users=n, questions=questions) for n in users]
    eight = next(row for row in rows if row["users"] == 8)
    alone = {row["server"]: row["p50_s"] for row in rows if row["users"] == 1}
    return {
        "rows": rows,
        "share_of_batch_of_8": eight["pictures_per_s"] / (8 / seconds),
        "one_visitor_over_locked": alone["open_clip behind a lock"] / alone["ours"],
        "changed_label": label,
    }


def _crowd(server: str, ask: Ask, fresh: Callable[[], list[Path]], *, users: int, questions: int) -> dict[str, Any]:
    start = threading.Barrier(users + 1)
    pictures_of = [[fresh() for _ in range(questions)] for _ in range(users)]

    def visitor(number: int) -> list[float]:
        start.wait()
        return [timed(lambda p=pictures: ask(f"visitor {number}", p)) for pictures in pictures_of[number]]  # type: ignore[misc]

    with ThreadPoolExecutor(users) as pool:
        waiting = [pool.submit(visitor, number) for number in range(users)]
        start.wait()
        began = time.perf_counter()
        times = [seconds for one in waiting for seconds in one.result()]
        total = time.perf_counter() - began
    return {
        "server": server,
        "users": users,
        "pictures_per_s": users * questions / total,
        "p50_s": quantile(times, 0.5),
        "p95_s": quantile(times, 0.95),
    }


def _changed_label(ask: Ask, pictures: list[Path]) -> dict[str, float]:
    """A first run with all pictures and 20 labels, none of them seen before; then the same with one label changed."""
    words = [f"{label} at dusk" for label in LABELS]
    first = timed(lambda: ask("labels", pictures, words))
    again = timed(lambda: ask("labels", pictures, [*words[:-1], "a lighthouse"]))
    return {"first_s": first, "changed_s": again}


class _engine:
    """The engine on the material's weights, as an `Ask`."""

    def __init__(self, material: BenchmarkData) -> None:
        from workbench.engine import Engine

        self.engine = Engine(default=f"folder:{material.transformers}", device="cpu", dtype="float32")

    def __enter__(self) -> Ask:
        from workbench.zeroshot import classify

        def ask(visitor: str, pictures: Sequence[Path], labels: Sequence[str] = LABELS) -> object:
            with self.engine.session(visitor) as session:
                return classify(session, pictures, labels, templates=TEMPLATES)

        return ask

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def _locked_open_clip(material: BenchmarkData) -> Ask:
    """The peer with its texts known: only the picture's tower runs, one visitor at a time."""
    import torch
    from PIL import Image
    from torch.nn.functional import normalize

    from benchmarks.peers import open_clip_model

    model, transform, tokenizer = open_clip_model(material)
    prompts = [template.replace("{}", label) for label in LABELS for template in TEMPLATES]
    with torch.inference_mode():
        rows = normalize(model.encode_text(tokenizer(prompts)), dim=-1)
        weights = normalize(rows.view(len(LABELS), len(TEMPLATES), -1).mean(dim=1), dim=-1)
    lock = threading.Lock()

    @torch.inference_mode()
    def ask(_: str, pictures: Sequence[Path]) -> object:
        with lock:
            pixels = torch.stack([transform(Image.open(one)) for one in pictures])
            scale = model.logit_scale.exp()
            return (scale * normalize(model.encode_image(pixels), dim=-1) @ weights.T).softmax(dim=-1)

    return ask


def _fresh_pictures(material: BenchmarkData) -> Callable[[], list[Path]]:
    """Each call gives one picture that nobody asked about before (a pixel of its own, saved beforehand)."""
    folder = material.folder / "fresh"
    folder.mkdir(exist_ok=True)
    number = iter(range(10**6))

    def fresh() -> list[Path]:
        k = next(number)
        file = folder / f"{k:05d}.jpg"
        source = material.pictures[k % len(material.pictures)]
        if not file.exists():
            file.write_bytes(source.read_bytes() + k.to_bytes(4, "big"))  # decoders stop at the end mark
        return [file]

    return fresh
