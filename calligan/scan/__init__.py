"""Photographs of written pages to labelled glyph images (no torch). Needs `calligan[scan]`."""
