"""Run a command that ends when whoever began it ends, however that ends: mortal.py COMMAND ...

A test that is killed cannot end the lab that it opened, which would serve nobody for ever. On
Linux the system does it; elsewhere the command is only run.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if sys.platform == "linux":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.execv(sys.argv[1], sys.argv[1:])
