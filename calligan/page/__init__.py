"""Glyph images to sheets and pages. Needs no torch."""
