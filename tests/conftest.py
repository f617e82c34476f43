"""What holds for all tests."""

from hypothesis import settings

# Machines are shared: an example's time says nothing of the code.
settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
