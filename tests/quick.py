"""What tests, and the processes that run commands for them, do with less work or more patience."""

import os
from importlib import import_module


def make_quick() -> None:
    """Change it in this process."""
    os.fsync = lambda handle: None  # power is not lost here, and a disk's answer takes milliseconds
    # What is said is compared line by line, also on a busy machine.
    import_module("calligan.cli.show").PATIENCE_S = 300
    # `evaluate` trains this one on hands of a few bars, or of a few glyphs: soon told apart.
    classifier = import_module("calligan.evaluation.style_classifier")
    classifier._BATCH_SIZE, classifier._STOP_BATCHES, classifier._STOP_ACCURACY = 16, 40, 0.98
    # These are drawn in the bundle's nineteen hands.
    import_module("calligan.library.matching")._COMPARED_GLYPHS = 2
