"""Has a module run as a script in a process forked from the warm one (warm_start.py), with what this process has as
standard input, output and error; ends as that ends.

    python -I -S warm_client.py SOCKET MODULE [ARGUMENT…]

For programs of ours that start another one of ours by its name: what they start is this, which costs next to nothing.
"""

import json
import os
import socket
import sys

address, module, *arguments = sys.argv[1:]
code = f"import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
here = os.getcwd()  # noqa: PTH109 - to load pathlib takes longer than all else here
request = {"code": code, "argv": [module, *arguments], "cwd": here, "environment": dict(os.environ), "path": []}
read, write = os.pipe()
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
    client.connect(address)
    socket.send_fds(client, [json.dumps(request).encode()], [0, 1, 2, write])
os.close(write)
# Theirs alone now: the end of a pipe means something.
for number in range(3):
    os.close(number)
with os.fdopen(read) as status:
    _, ended = status.read().split()
os._exit(os.waitstatus_to_exitcode(int(ended)) & 255)
