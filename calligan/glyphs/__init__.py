"""Character sets, fonts, and glyphs as pixels (no torch)."""
