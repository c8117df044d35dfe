"""Networks, from tensors to tensors; independent of fonts, glyph files and training."""
