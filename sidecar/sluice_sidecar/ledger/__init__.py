"""What every request cost, and what it would have cost and taken without Sluice."""
