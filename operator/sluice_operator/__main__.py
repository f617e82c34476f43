"""`python -m sluice_operator`."""

import sys

from sluice_operator.main import main

sys.exit(main())
