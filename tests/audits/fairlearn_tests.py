"""Run fairlearn's own unit tests of MetricFrame with AuditFrame in its place, and print how many pass.

    python tests/audits/fairlearn_tests.py FOLDER

FOLDER is the folder `test` of fairlearn's repository (github.com/fairlearn/fairlearn), at the release installed. Its
tests are part neither of this repository nor of fairlearn's packages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import fairlearn.metrics
import pytest

from audits.frame import AuditFrame


def main(folder: Path) -> int:
    """Return pytest's exit code."""
    fairlearn.metrics.MetricFrame = AuditFrame
    files = sorted(map(str, (folder / "unit" / "metrics").glob("test_metricframe_*.py")))
    if not files:
        raise SystemExit(f"No tests of MetricFrame in {folder / 'unit' / 'metrics'}; give fairlearn's folder `test`.")
    sys.path.insert(0, str(folder.parent))
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", "/dev/null", f"--rootdir={folder.parent}"]
    return int(pytest.main([*options, *files]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(Path(sys.argv[1])))
