#!/usr/bin/env bash
# A text handed to apprise 2.3.0 as plain text (body_format=NotifyFormat.TEXT) is escaped for services whose own format
# is Markdown (Microsoft Teams, Webex, Rocket.Chat and others), so that no name in it is taken for markup. That includes
# the addresses: https://x.example/daily_report?day=1 is posted as https://x\.example/daily\_report?day\=1. Read as
# CommonMark with bare addresses made links, as such services do, no link to the page is left in it. As plain text one
# would expect a link to arrive as it was written; it does so handed over as Markdown, between angle brackets.
# Seen: apprise 2.3.0 to a Rocket.Chat stand-in on loopback, read by markdown-it-py 4.3.0 with linkify-it-py 2.2.0.
# Fails when that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  "apprise==2.3.0" "markdown-it-py==4.3.0" "linkify-it-py==2.2.0" >/dev/null
"$folder/env/bin/python" - <<'PY'
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from apprise import Apprise, NotifyFormat
from markdown_it import MarkdownIt

ADDRESS = "https://x.example/daily_report?day=1"
posts = []


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        posts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "success", "success": true, "data": {"authToken": "a", "userId": "b"}}')

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()


def links(body, form):
    posts.clear()
    target = Apprise()
    target.add(f"rocket://user:password@127.0.0.1:{server.server_port}/%23general")
    assert target.notify(body=body, body_format=form)
    (text,) = [json.loads(post)["text"] for post in posts if post.startswith("{")]
    html = MarkdownIt("commonmark", {"linkify": True}).enable("linkify").render(text)
    found = re.findall('href="([^"]+)"', html)
    print(f"{text}\n  links: {found}")
    return found


assert ADDRESS not in links(f"see {ADDRESS}", NotifyFormat.TEXT)
assert links(f"see <{ADDRESS}>", NotifyFormat.MARKDOWN) == [ADDRESS]
PY
