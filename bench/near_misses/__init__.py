"""Pairs of asks that look alike: some want different answers (near misses), some the same (paraphrases)."""
