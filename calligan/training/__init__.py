"""The training loop, its losses, optimizers and checkpoints."""
