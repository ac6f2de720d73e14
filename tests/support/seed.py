"""The seed of everything that tests of faults leave to chance: the same in every run, unless another is asked for."""

import os

SEED = int(os.environ.get("VEZNE_FAULTS_SEED") or 1)
