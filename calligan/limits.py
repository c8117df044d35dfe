"""The limits on everything that is read, in one table; docs/hostile-input.md explains them.

A reader checks its limit before it takes memory. What exceeds one ends in a CalliganError that
names the file.
"""

# Files, in bytes.
MAX_TEXT_BYTES = 16 * 2**20  # texts, charsets, CSV
MAX_TEXT_CHARS = 100_000  # of a text to write
MAX_TOML_BYTES = 64 * 2**10  # its parser takes the square of a key's length
MAX_JSON_BYTES = 64 * 2**20
MAX_MANIFEST_BYTES = 96 * 2**20  # 1,000 fonts of 30,000 characters are 90 MB
MAX_LOG_BYTES = 64 * 2**20  # of a training run: 200,000 lines
MAX_MODEL_BYTES = 2**30
MAX_MODEL_HEADER_BYTES = 16 * 2**20  # the shipped model's are 92 kB
MAX_ARRAY_HEADER_BYTES = 64 * 2**10
MAX_PART_BYTES = 64 * 2**20  # of an interrupted export, packed and unpacked: 64 glyphs
MAX_CHECKPOINT_BYTES = 4 * 2**30
MAX_FONT_BYTES = 512 * 2**20
MAX_UNPACKED_BYTES = 256 * 2**20  # a WOFF or WOFF2 font, unpacked
MAX_PICTURE_BYTES = 512 * 2**20

# JSON and TOML.
MAX_NESTING = 32
MAX_ENTRIES = 500_000  # of all lists and tables: empty ones take 20 times their text
MAX_INTEGER = 2**63 - 1

# Fonts.
MAX_FACES = 256  # of a collection
MAX_TABLES = 256
MAX_NAME_CHARS = 256  # of a font's family; more are cut
MAX_ENTRY_CHARS = 20_000  # of a licence or another entry of a name table; more are cut
MAX_BITMAP_PX = 16 * 2**20  # one glyph's bitmap: 4,096 x 4,096
MAX_EM_CANVASES = 8.0  # largest em, in canvas sides: tiny glyphs in a large em stay small
MAX_OUTLINE_POINTS = 32_000  # of a glyph: FreeType counts them in 16 bits
MAX_OUTLINE_SIDE_PX = 16_000

# Pictures, in pixels.
MAX_PHOTO_PX = 120_000_000
MAX_WEBP_PX = 50_000_000  # its decoder takes four times the memory of others
MAX_UPLOAD_PX = 60_000_000  # of a photograph that is given to the studio
MAX_PHOTO_SIDE_PX = 4500  # larger photographs are reduced to this
MAX_GLYPH_PX = 16 * 2**20  # of the picture of one glyph
MAX_HAND_PX = 2**30  # of all pictures of a folder, which are held in memory: 268 of 2,000 px
MAX_PAGE_MM = 20_000  # a side of a page
MAX_PAGE_PX = 200_000_000  # of a picture that is drawn
MAX_FRAME_PX = 2_000_000  # of a frame of a film; larger ones are reduced

# Reading in a process of its own (calligan/apart.py).
MAX_READER_BYTES = 2**30  # memory, above that of the modules
MAX_ANSWER_BYTES = 2**30  # of what it found
MAX_READER_S = 20.0  # processor time
MAX_READER_WAIT_S = 120.0  # by the clock, for a busy machine
