"""The `vert` feature: glyph substitutions for vertical text.

https://learn.microsoft.com/typography/opentype/spec/features_uz#vert
"""

import io

# Used where a font has no vertical form of its own:
TO_CORNER = "，。、．"  # moved to the upper right corner
TURNED = "（）「」『』【】《》〈〉［］｛｝〔〕“”‘’—…～ー"  # rotated clockwise by 90 degrees
SMALL_KANA = "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"  # moved to the upper right


def vertical_substitutions(data: bytes, face_index: int) -> dict[int, int]:
    """Vertical glyph index by glyph index; empty if the font has no readable `vert` feature."""
    from fontTools.ttLib import TTFont

    try:
        font = TTFont(io.BytesIO(data), fontNumber=face_index, lazy=True)
        if "GSUB" not in font:
            return {}
        table = font["GSUB"].table
        lookups = {
            number
            for record in table.FeatureList.FeatureRecord
            if record.FeatureTag in ("vert", "vrt2")
            for number in record.Feature.LookupListIndex
        }
        pairs: dict[str, str] = {}
        for number in sorted(lookups):
            for subtable in table.LookupList.Lookup[number].SubTable:
                inner = getattr(subtable, "ExtSubTable", subtable)
                pairs.update(getattr(inner, "mapping", {}))
        return {font.getGlyphID(a): font.getGlyphID(b) for a, b in pairs.items()}
    except Exception:  # a damaged GSUB (fontTools raises many kinds) only costs vertical forms
        return {}
