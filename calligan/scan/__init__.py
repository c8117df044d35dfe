"""Paper to labelled glyph images (no torch). Needs OpenCV: the extra `calligan[scan]`."""
