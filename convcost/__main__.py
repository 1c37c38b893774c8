"""`python -m convcost`."""

from __future__ import annotations

import sys

from convcost.cli import main

if __name__ == "__main__":
    sys.exit(main())
