"""Models that read two asks together and say whether they want the same answer."""
