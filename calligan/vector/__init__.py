"""Grey glyph images to outlines, and outlines to font files (no torch)."""
