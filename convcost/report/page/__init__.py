"""The parts of the HTML page: its blocks, tables, headline cards and figures, its style and its script."""
