"""What should exist, and what each object's status says: pure functions of what was seen."""
