"""The `vert` feature: which glyph stands in for which in vertical text.

https://learn.microsoft.com/typography/opentype/spec/features_uz#vert
"""

import io

# Where a font has no vertical form of its own:
TO_CORNER = "，。、．"  # stops that move to the upper right
TURNED = "（）「」『』【】《》〈〉［］｛｝〔〕“”‘’—…～"  # marks that turn


def vertical_substitutions(data: bytes, face_index: int) -> dict[int, int]:
    """Glyph to vertical glyph, by number; empty where the font has no readable `vert` feature."""
    from fontTools.ttLib import TTFont

    try:
        font = TTFont(io.BytesIO(data), fontNumber=face_index, lazy=True)
        if "GSUB" not in font:
            return {}
        table = font["GSUB"].table
        wanted = {
            number
            for record in table.FeatureList.FeatureRecord
            if record.FeatureTag in ("vert", "vrt2")
            for number in record.Feature.LookupListIndex
        }
        pairs: dict[str, str] = {}
        for number in sorted(wanted):
            for subtable in table.LookupList.Lookup[number].SubTable:
                inner = getattr(subtable, "ExtSubTable", subtable)
                pairs.update(getattr(inner, "mapping", {}))
        return {font.getGlyphID(a): font.getGlyphID(b) for a, b in pairs.items()}
    except Exception:  # a damaged GSUB only costs the vertical forms, and fontTools raises anything
        return {}
