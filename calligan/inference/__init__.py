"""Inference: draw glyph images of a text in a style with a trained model."""
