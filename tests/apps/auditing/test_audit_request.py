"""What a visitor's form stands for: jobs, warnings and hashes."""

from __future__ import annotations

import pytest

from apps.auditing import audit_request, protocols
from apps.auditing.audit_request import AuditRequest
from audits import catalogue
from audits.protocol import Protocol
from workbench.errors import BadInput

OVERLAY = "typographic/overlay"


def test_a_form_stands_for_each_audit_on_each_model() -> None:
    jobs = audit_request.jobs(AuditRequest((OVERLAY, "surveillance/scenes"), ("pocket", "fake"), seed=3, limit=5))
    assert [(job.audit.key, job.model) for job in jobs] == [
        (OVERLAY, "pocket"),
        (OVERLAY, "fake"),
        ("surveillance/scenes", "pocket"),
        ("surveillance/scenes", "fake"),
    ]
    assert {(job.seed, job.limit) for job in jobs} == {(3, 5)}
    assert audit_request.jobs(AuditRequest((OVERLAY,), ("fake",)))[0].limit is None


@pytest.mark.parametrize("empty", [AuditRequest((), ("fake",)), AuditRequest((OVERLAY,), ())])
def test_nothing_chosen_is_said(empty: AuditRequest) -> None:
    with pytest.raises(BadInput, match="at least one audit and one model"):
        audit_request.jobs(empty)


def test_an_edited_protocol_tells_whether_it_can_still_be_compared() -> None:
    shipped = catalogue.read_protocol(OVERLAY, catalogue.find(OVERLAY).protocols[0])
    text = protocols.as_text(shipped)
    same = protocols.edited(text, OVERLAY, shipped)
    assert same is shipped
    assert "as shipped" in protocols.difference(shipped, same)
    other = protocols.edited(text.replace("templates:\n-", "templates:\n- a drawing of a {}.\n-"), OVERLAY, shipped)
    assert other.hash != shipped.hash
    assert other.name != shipped.name
    assert "cannot be compared" in protocols.difference(shipped, other)
    for broken, message in (
        ("a: [", "not valid YAML"),
        ("name: x", "cannot be used"),
        (text + "more: 1\n", "cannot be used"),
    ):
        with pytest.raises(BadInput, match=message):
            protocols.edited(broken, OVERLAY, shipped)


def test_an_edited_protocol_is_the_one_that_runs() -> None:
    shipped = catalogue.read_protocol(OVERLAY, catalogue.find(OVERLAY).protocols[0])
    text = protocols.as_text(shipped).replace("templates:\n-", "templates:\n- a drawing of a {}.\n-")
    (job,) = audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), text=text))
    assert job.rules.templates[0] == "a drawing of a {}."
    two = audit_request.jobs(AuditRequest((OVERLAY, "surveillance/scenes"), ("fake",), text=text))
    assert two[0].rules.hash == shipped.hash  # with several audits there is nothing to edit


def test_a_content_warning_stands_before_the_run() -> None:
    heavy = catalogue.read_protocol(OVERLAY, catalogue.find(OVERLAY).protocols[0]).model_copy(
        update={"content_warning": "Derogatory labels."}
    )
    assert protocols.warnings([heavy, heavy]) == "Derogatory labels."
    text = (
        protocols.as_text(heavy) + "notes: x\n" if "notes" not in protocols.as_text(heavy) else protocols.as_text(heavy)
    )
    changed = text.replace("templates:\n-", "templates:\n- a drawing of a {}.\n-")
    with pytest.raises(BadInput, match="Derogatory labels"):
        audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), text=changed))
    assert len(audit_request.jobs(AuditRequest((OVERLAY,), ("fake",), text=changed, read=True))) == 1


def test_surveillance_comes_with_its_limits_of_use() -> None:
    assert "out of scope" in protocols.intended_use(["surveillance/scenes", "surveillance/identity"])
    assert protocols.intended_use([OVERLAY]) == ""


def test_what_is_shown_is_a_protocol_only_where_one_audit_is_chosen() -> None:
    assert isinstance(protocols.chosen_protocol([OVERLAY], ""), Protocol)
    assert protocols.chosen_protocol([], "") is None
    assert protocols.chosen_protocol([OVERLAY, "surveillance/scenes"], "") is None
