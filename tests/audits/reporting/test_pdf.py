"""The report for print: real pages, and errors that name what to install."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from audits import reporting
from workbench.errors import Unsupported


@pytest.mark.heavy
def test_a_pdf_has_pages(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("weasyprint", exc_type=OSError)
    content = reporting.write([run], tmp_path / "r.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert content.count(b"/Type /Page") > 2 or b"/ObjStm" in content
    assert len(content) > 20_000


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (ModuleNotFoundError("No module named 'weasyprint'"), r"pip install -r requirements-pdf\.txt"),
        (OSError("cannot load library 'libpango-1.0-0': no such file"), r"apt-get install libpango-1\.0-0"),
    ],
)
def test_what_is_missing_is_named(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, output: str
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "weasyprint":
            raise error
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unsupported, match=output) as caught:
        reporting.write([run], tmp_path / "r.pdf")
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []
