"""From the generator's grey field to outlines, and from outlines to fonts (no torch)."""
