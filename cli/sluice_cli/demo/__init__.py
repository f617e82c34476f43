"""`sluice demo`: one workload of real questions, asked directly and through Sluice, and what the difference is."""
