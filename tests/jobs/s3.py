"""An S3 API on loopback that can be told to misbehave: moto's, behind a layer that fails, hides and remembers."""

import threading
import time
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, unquote

from moto.server import create_backend_app
from werkzeug.serving import make_server

ERROR = b"<Error><Code>%s</Code><Message>not now</Message></Error>"


class Weather:
    """What the layer does to requests; all of it off by default."""

    def __init__(self):
        self.lock = threading.Lock()
        self.clear_up()

    def clear_up(self):
        self.count, self.every, self.code = 0, None, "503 Slow Down"
        self.fails = lambda method, key: False
        self.hidden_for = 0.0
        self.written, self.calls = {}, []

    def is_bad(self, method, key):
        with self.lock:
            self.count += 1
            self.calls.append((method, key))
            return self.fails(method, key) or (self.every is not None and self.count % self.every == 0)


class Layer:
    def __init__(self, app):
        self.app, self.weather = app, Weather()

    def __call__(self, environ, start):
        def start_response(status, headers, exc_info=None):
            own = [(name, value) for name, value in headers if name.lower() not in ("server", "date")]
            return start(status, own, exc_info)  # those two the server adds itself, and clients refuse them twice

        method, key = environ["REQUEST_METHOD"], unquote(environ["PATH_INFO"].lstrip("/"))
        if self.weather.is_bad(method, key):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = b"" if method == "HEAD" else ERROR % self.weather.code[4:].replace(" ", "").encode()
            start_response(self.weather.code, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        if method == "PUT":
            self.weather.written[key] = time.monotonic()
        if method == "GET" and "list-type" in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True):
            return self._listed(key, environ, start_response)
        return self.app(environ, start_response)

    def _listed(self, bucket, environ, start_response):
        """A listing without what was written lately."""
        said = {}

        def remember(status, headers, exc_info=None):
            said.update(status=status, headers=headers)

        body = b"".join(self.app(environ, remember))
        young = {k for k, t in self.weather.written.items() if time.monotonic() - t < self.weather.hidden_for}
        if young and said["status"].startswith("200"):
            root = ET.fromstring(body)
            space = root.tag.partition("}")[0] + "}" if "}" in root.tag else ""
            for item in root.findall(f"{space}Contents"):
                if f"{bucket.rstrip('/')}/{item.find(f'{space}Key').text}" in young:
                    root.remove(item)
            body = ET.tostring(root)
        headers = [(k, v) for k, v in said["headers"] if k.lower() != "content-length"]
        start_response(said["status"], [*headers, ("Content-Length", str(len(body)))])
        return [body]


class Server:
    def __init__(self):
        self.layer = Layer(create_backend_app("s3"))  # found once, not anew at each request
        self._server = make_server("127.0.0.1", 0, self.layer, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def weather(self):
        return self.layer.weather

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
