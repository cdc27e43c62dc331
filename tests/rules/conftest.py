"""Puts this folder on the path, so that the drill and these tests import `checker` and `story` alike."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
