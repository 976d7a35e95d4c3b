"""The protocol that a visitor sees and may edit: its text, its hash, and the warnings before it is used.

Does not know about widgets.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import yaml

from audits import catalogue, protocol
from audits.protocol import Protocol
from workbench.yaml_file import parse


def chosen_protocol(audits: Sequence[str], name: str) -> Protocol | None:
    """Return the protocol that the form shows: only where exactly one audit is chosen."""
    if len(audits) != 1:
        return None
    known = catalogue.find(audits[0]).protocols
    return _shipped(audits[0], name if name in known else known[0])


@functools.cache
def _shipped(audit: str, name: str) -> Protocol:
    return catalogue.read_protocol(audit, name)


def warnings(rules: Sequence[Protocol]) -> str:
    """Return the warnings of protocols with derogatory or otherwise offensive labels."""
    return " ".join(dict.fromkeys(one.content_warning.strip() for one in rules if one.content_warning.strip()))


def intended_use(audits: Sequence[str]) -> str:
    """Return the limits of use of the chosen audits, as Markdown."""
    return "\n\n".join(dict.fromkeys(text for key in audits if (text := catalogue.find(key).intended_use.strip())))


def as_text(rules: Protocol) -> str:
    """Return a protocol as the YAML that a visitor edits."""
    content = rules.model_dump(mode="json", by_alias=True, exclude={"published"})
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100))


def edited(text: str, audit: str, original: Protocol) -> Protocol:
    """Read an edited protocol; what was published stays beside it only while the hash is the published one's.

    Raises:
        BadInput: no YAML, or no protocol of this audit.
    """
    changed = protocol.parse(parse(text, "The protocol"), audit, "edited")
    if changed.hash == original.hash:
        return original
    return changed.model_copy(update={"name": f"{changed.name}-edited"})


def difference(original: Protocol, current: Protocol) -> str:
    """Say whether an edited protocol can still be compared with others, as Markdown."""
    if current.hash == original.hash:
        return f"Protocol `{original.name}`, hash `{original.hash[:12]}…`, as shipped."
    return (
        f"**Changed:** the hash is now `{current.hash[:12]}…` instead of `{original.hash[:12]}…`. "
        "Runs with this protocol cannot be compared with runs of the shipped one, and published numbers do not apply."
    )
