"""Where models, runs, hands, data and source fonts lie, and what they are called; no torch."""
