"""Requests: what a page, a font, an evaluation, a training run or a learned hand is made from.

Each is described once. The commands make their options and `--help` from the described fields; the
library takes the same values. The code that carries out a request checks it first, before torch is
imported (`check_page` in inference/pages.py, `check_font` in library/orders.py).
"""
