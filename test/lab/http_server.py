#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""http_server.py PORT FILE: GET /file gives the file, GET /whoami the address that the client has from here."""
import http.server
import sys

port, name = int(sys.argv[1]), sys.argv[2]
with open(name, "rb") as file:
    contents = file.read()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.client_address[0].encode() if self.path == "/whoami" else contents
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler)
print("ready", flush=True)
server.serve_forever()
