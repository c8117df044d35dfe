"""How good a model is, on characters that no style has shown it."""
