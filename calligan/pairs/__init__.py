"""Training data: glyph arrays of source and target fonts, their manifest and their split."""
