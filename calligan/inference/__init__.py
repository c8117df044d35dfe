"""A trained model at work: text and style to glyph images."""
