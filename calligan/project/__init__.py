"""Names, paths and locks of models, runs, hands and source fonts; without torch."""
