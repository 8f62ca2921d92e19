"""moto on a loopback port that the kernel picks and this tells.

Not by moto's own server: that closes the connection after each answer, which AWS does not. And one request after the other (one
thread; a request is read to its end first, so that a client that is slow, or gone, keeps nobody waiting): moto looks at a
condition and writes in two steps, S3 does both as one. And one answer of moto's has another name than S3 gives it.
"""

import os

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from waitress import create_server

BODY_MAX = 64 * 1024 * 1024

moto = DomainDispatcherApplication(create_backend_app)


def serve(environ, start_response):
    environ["RAW_URI"] = environ["REQUEST_URI"]  # as moto's own server has it
    if environ["QUERY_STRING"] in ("versioning", "versioning="):
        return versioning(environ, start_response)
    return moto(environ, start_response)


def versioning(environ, start_response):
    told = []
    body = b"".join(moto(environ, lambda status, headers, *_: told.append((status, headers))))
    body = body.replace(b"GetBucketVersioningResponse", b"VersioningConfiguration")
    status, headers = told[0]
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]


server = create_server(
    serve, host="127.0.0.1", port=0, threads=1, connection_limit=1000, max_request_body_size=BODY_MAX
)
os.environ["MOTO_PORT"] = str(server.effective_port)
print(f"port {server.effective_port}", flush=True)
server.run()
