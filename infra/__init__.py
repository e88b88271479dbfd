"""Infrastructure: the CDK app, the local system and the command `winback`."""

import os
import sys
from pathlib import Path

# The CDK's library runs on node: on the one in this virtual environment, whatever PATH says.
_NODE = Path(sys.executable).with_name("node")
if _NODE.exists():
    os.environ.setdefault("JSII_NODE", str(_NODE))
