"""The reader: a small network that judges whether a glyph is the right character, and whole."""
