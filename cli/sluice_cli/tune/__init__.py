"""`sluice tune`: what a policy would reuse of recorded traffic, how often that would be wrong, and what to set."""
