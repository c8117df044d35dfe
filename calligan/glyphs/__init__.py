"""Characters and fonts to pixels. Needs no torch."""
