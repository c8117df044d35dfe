"""What the processes that run commands for tests do with less patience, or less work."""

import os
from importlib import import_module

PATIENCE_S = 300  # tests compare what is said line by line, also on a busy machine


def make_quick() -> None:
    """Change it in this process."""
    os.fsync = lambda handle: None  # power is not lost here, and a disk's answer takes milliseconds
    import_module("calligan.cli.show").PATIENCE_S = PATIENCE_S
    # `evaluate` trains this one on hands of a few bars, or of a few glyphs: soon told apart.
    classifier = import_module("calligan.evaluation.style_classifier")
    classifier._BATCH_SIZE, classifier._STOP_BATCHES, classifier._STOP_ACCURACY = 16, 20, 0.95
    import_module(
        "calligan.library.matching"
    )._COMPARED_GLYPHS = 2  # in nineteen hands of the bundle
