"""`python -m vezne_cli` is the command `vezne`, also where it is not installed."""

import sys

from .app import main

sys.exit(main())
