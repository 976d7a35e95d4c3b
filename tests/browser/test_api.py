"""The API as “Use via API” shows it: five named endpoints, documented, called with gradio_client; nothing internal."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from gradio_client import Client, handle_file

from workbench.loading import load
from workbench.pictures import sample_path
from workbench.zeroshot import classify

CAT, COFFEE = str(sample_path("cat")), str(sample_path("coffee"))
LABELS = ["cat", "dog", "coffee cup"]
ENDPOINTS = {
    "/classify": ["image", "labels", "templates", "none_of_these", "model"],
    "/classify_many": ["images", "labels", "model"],
    "/match": ["images", "texts", "model"],
    "/compare": ["image", "labels", "model_a", "model_b"],
    "/explain": ["image", "labels", "label", "method", "model"],
}


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_the_endpoints_are_named_and_documented(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=30) as answer:
        info: dict[str, Any] = json.load(answer)
    assert info["unnamed_endpoints"] == {}
    shown = info["named_endpoints"]
    assert {name: [one["parameter_name"] for one in row["parameters"]] for name, row in shown.items()} == ENDPOINTS
    for row in shown.values():
        assert row["description"].strip()
        texts = [one["python_type"]["description"] or one["label"] for one in [*row["parameters"], *row["returns"]]]
        assert all(len(text) > 10 and not re.match(r"(param|value)_\d", text) for text in texts)
        assert len(row["returns"]) == 1


def test_classify_gives_the_numbers_of_the_library(client: Client) -> None:
    result = client.predict(image=handle_file(CAT), labels=LABELS, api_name="/classify")
    expected = classify(load("pocket", device="cpu", dtype="float32"), [sample_path("cat")], LABELS).ranked(0)
    assert [row["label"] for row in result["answers"]] == [label for label, _, _ in expected]
    for row, (_, probability, cosine) in zip(result["answers"], expected, strict=True):
        assert row["probability"] == pytest.approx(probability, abs=1e-4)
        assert row["cosine"] == pytest.approx(cosine, abs=1e-4)
    own = client.predict(handle_file(CAT), LABELS, templates="art of the {}.", api_name="/classify")
    assert own["answers"][0]["cosine"] != result["answers"][0]["cosine"]


def test_the_other_endpoints_answer_in_plain_json(client: Client) -> None:
    images = [handle_file(CAT), handle_file(COFFEE)]
    many = client.predict(images, LABELS, api_name="/classify_many")
    assert [row["labels"][0]["label"] for row in many["results"]] == ["cat", "coffee cup"]
    matrix = client.predict(images, ["a cat", "a cup of coffee", "a dog"], api_name="/match")
    assert [len(row) for row in matrix["cosines"]] == [3, 3]
    assert [sum(row) for row in matrix["text_given_image"]] == pytest.approx([1, 1], abs=1e-5)
    both = client.predict(handle_file(CAT), LABELS, "pocket", "fake", api_name="/compare")
    assert both["a"][0]["label"] == "cat"
    assert {row["label"] for row in both["b"]} == set(LABELS)
    part = client.predict(handle_file(CAT), LABELS, api_name="/explain")
    assert part["label"] == "cat"
    assert sum(share or 0 for row in part["ninths"] for share in row) == pytest.approx(1, abs=1e-4)


def test_a_mistake_is_answered_with_a_sentence(client: Client) -> None:
    with pytest.raises(Exception, match="at least one label"):
        client.predict(handle_file(CAT), [], api_name="/classify")
    with pytest.raises(Exception, match=r"labels.* takes: 1 to 256 labels"):
        client.predict(handle_file(CAT), None, api_name="/classify")
    with pytest.raises(Exception, match="nonsense"):
        client.predict(handle_file(CAT), LABELS, model="nonsense", api_name="/classify")
