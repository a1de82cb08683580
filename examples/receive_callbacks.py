"""A receiver of callbacks: verify first, answer quickly, and do nothing twice.

Start a run with this as its webhook_url, or `babychain listen http://127.0.0.1:9000/callbacks`.
"""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from babychain_client import WebhookInvalid, verify_webhook

SECRET = os.environ["BABYCHAIN_CALLBACK_SECRET"]
PORT = int(os.environ.get("PORT", "9000"))

seen: set[str] = set()
"""In a real receiver, a table: a callback comes again until it is answered, and may come again after that."""


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            event = verify_webhook(body, dict(self.headers.items()), SECRET)
        except WebhookInvalid as error:
            self.send_error(400, str(error))
            return
        self.send_response(204)
        self.end_headers()
        if event.run is not None and event.id not in seen:
            seen.add(event.id)
            print(event.run.id, event.run.status, *event.run.outputs, flush=True)

    def log_message(self, *_: object) -> None:
        """Only what was verified is told."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", PORT), Receiver)
    print(f"Listening on http://127.0.0.1:{PORT}/callbacks", flush=True)
    server.serve_forever()
