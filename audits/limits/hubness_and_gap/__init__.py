"""Hubs and the modality gap: which images answer to everything, and how far images lie from texts."""

from __future__ import annotations

from audits.contracts import Audit

AUDIT = Audit(
    key="limits/hubness-and-gap",
    title="Hubs and the modality gap",
    question="Do a few images answer to everything, how far do images lie from texts, and does centring help?",
    protocols=("things",),
    builtin="drawn-things",
    module=__name__,
    needs=("label",),
    tags=("limits", "retrieval"),
    suites=("release",),
    source=(
        "Radovanović et al. 2010, J. Mach. Learn. Res. 11:2487 (hubs); Liang et al. 2022, arXiv:2203.02053 (gap); "
        "Bogolin et al. 2022, arXiv:2112.12777 (querybank)"
    ),
)
