"""0 when the toy trunk answers, else 1: for its container's health check."""

import http.client
import os
import socket
import sys

host = os.environ.get("TRUNK_HOST") or socket.gethostname()
try:
    trunk = http.client.HTTPConnection(host, 8080, timeout=4)
    trunk.request("GET", "/")
    sys.exit(0 if trunk.getresponse().status == 200 else 1)
except OSError as error:
    print(error)
    sys.exit(1)
