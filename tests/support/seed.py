"""The seed of all random choices in fault tests: the same in every run, unless a variable sets another."""

import os

SEED = int(os.environ.get("VEZNE_FAULTS_SEED") or 1)
