"""Is it that character, and is it whole? Our own small reader, and what it says of a glyph."""
