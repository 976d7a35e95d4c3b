"""The entry of `python -m audits`."""

from __future__ import annotations

import sys

from audits.shell import main

if __name__ == "__main__":
    sys.exit(main())
