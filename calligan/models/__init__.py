"""Networks: tensors in, tensors out. Knows nothing of fonts, files of glyphs, or training."""
