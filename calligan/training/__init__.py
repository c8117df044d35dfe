"""The training loop and everything it stands on."""
