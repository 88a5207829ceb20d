"""`python -m geokube_lab` is the command `lab/lab`."""

import sys

from geokube_lab.cli import main

sys.exit(main())
