"""The server of the page: for this machine alone, and for those who know the address.

It listens on 127.0.0.1. The address has a random token; a request must name it, and this host (a
page of another host whose name leads here is refused), and a WebSocket must come from our own page.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from . import wire
from .view import View

HOST = "127.0.0.1"
PAGE = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}  # fmt: skip
ENDING = 60  # seconds that a view has to end
MOST = 2**20  # bytes of a message to us
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the token is in the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Mailbox:
    """What one page is still to be sent: of each kind of message the newest alone, so that a slow
    page misses pictures and no more; complaints are all kept."""

    def __init__(self) -> None:
        self.messages: dict[Any, str | bytes] = {}
        self.filled = asyncio.Event()
        self.complaints = 0

    def put(self, view: str, kind: str, message: str | bytes) -> None:
        key: tuple[Any, ...] = (view, kind)
        if kind == "complaint":
            self.complaints += 1
            key = (*key, self.complaints)
        self.messages.pop(key, None)  # the order is that in which they came
        self.messages[key] = message
        self.filled.set()

    async def take(self) -> list[str | bytes]:
        await self.filled.wait()
        self.filled.clear()
        found = list(self.messages.values())
        self.messages.clear()
        return found


class Server:
    """Pages on one side, views on the other. All pages see, and play, the same.

    views : makes them, given `post`
    menus : what a page is told first
    """

    def __init__(self, views: Callable[[Any], Iterable[View]], menus: dict[str, Any]):
        self.token = secrets.token_urlsafe(24)
        self.port = 0
        self.pages: dict[web.WebSocketResponse, Mailbox] = {}
        self.latest: dict[tuple[str, str], str | bytes] = {}  # for those who come later
        self.views = {view.view: view for view in views(self.post)}
        self.menus = menus
        self.loop: asyncio.AbstractEventLoop

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/{self.token}/"

    # --- from the views ---

    def post(self, view: str, kind: str, message: str | bytes) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program ends
            self.loop.call_soon_threadsafe(self._post, view, kind, message)

    def _post(self, view: str, kind: str, message: str | bytes) -> None:
        if kind != "complaint":
            self.latest[view, kind] = message
        for mailbox in self.pages.values():
            mailbox.put(view, kind, message)

    # --- who may come ---

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            response = await self.admitted(request, handler)
        except web.HTTPException as refused:
            refused.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def admitted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        hosts = [f"{name}:{self.port}" for name in (HOST, "localhost")]
        if request.headers.get("Host") not in hosts:
            raise web.HTTPForbidden(text="this is not the host that you meant")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.headers['Host']}":
            raise web.HTTPForbidden(text="only our own page may ask")
        token = request.match_info.get("token", "")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise web.HTTPNotFound(text="the address is that which the command has printed")
        return await handler(request)

    # --- what they get ---

    async def file(self, request: web.Request) -> web.Response:
        path = PAGE / (request.match_info["name"] or "index.html")
        if path.parent != PAGE or path.suffix not in TYPES or not path.is_file():
            raise web.HTTPNotFound(text="there is no such file")
        return web.Response(
            body=path.read_bytes(), content_type=TYPES[path.suffix], charset="utf-8"
        )

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        if "Origin" not in request.headers:
            raise web.HTTPForbidden(text="only our own page may ask")
        socket = web.WebSocketResponse(max_msg_size=MOST, heartbeat=20, compress=False)
        await socket.prepare(request)
        mailbox = Mailbox()
        mailbox.put("", "hello", wire.text("hello", **self.menus))
        for (view, kind), message in self.latest.items():
            mailbox.put(view, kind, message)
        self.pages[socket] = mailbox
        self.tell_watched()
        sender = asyncio.create_task(self.send(socket, mailbox))
        try:
            async for received in socket:
                if received.type == WSMsgType.TEXT:
                    self.command(received.data, mailbox)
        finally:
            del self.pages[socket]
            sender.cancel()
            self.tell_watched()
        return socket

    @staticmethod
    async def send(socket: web.WebSocketResponse, mailbox: Mailbox) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):  # the page has gone
            while True:
                for message in await mailbox.take():
                    if isinstance(message, bytes):
                        await socket.send_bytes(message)
                    else:
                        await socket.send_str(message)

    def tell_watched(self) -> None:
        if len(self.pages) <= 1:
            for view in self.views.values():
                view.tell({"do": "watched", "yes": bool(self.pages)})

    def command(self, text: str, mailbox: Mailbox) -> None:
        """{"view": whose, "do": what, ...}; starting one view pauses the others."""
        try:
            command = json.loads(text)
            view = self.views[command.pop("view")]
            do = command["do"]
        except (ValueError, KeyError, AttributeError, TypeError):
            return mailbox.put("", "complaint", wire.text("complaint", text="no command"))
        if do in ("watched", "quit"):
            return mailbox.put("", "complaint", wire.text("complaint", text="that is ours to say"))
        if do == "start":
            for other in self.views.values():
                if other is not view:
                    other.tell({"do": "pause"})
        view.tell(command)

    # --- while it lasts ---

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.guard], client_max_size=MOST)
        app.router.add_get("/{token}/socket", self.socket)
        app.router.add_get("/{token}/{name}", self.file)
        app.router.add_get("/{token}/", self.file_of_index)
        app.router.add_route("*", "/{anything:.*}", self.nothing)
        return app

    async def file_of_index(self, request: web.Request) -> web.Response:
        request.match_info["name"] = "index.html"
        return await self.file(request)

    async def nothing(self, request: web.Request) -> web.Response:
        raise web.HTTPNotFound(text="the address is that which the command has printed")

    async def serve(
        self, port: int, ready: Callable[[str], None], stop: asyncio.Event | None = None
    ) -> None:
        """Listen until `stop` is set; OSError where the port is taken.

        port : 0: any that is free
        ready : called with the address
        """
        self.loop = asyncio.get_running_loop()
        sys.setswitchinterval(0.001)  # a view that computes lets the server through at once
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port)
            await site.start()
            self.port = runner.addresses[0][1]
            for view in self.views.values():
                view.start()
            ready(self.address)
            await (stop or asyncio.Event()).wait()
        finally:
            for view in self.views.values():
                view.tell({"do": "quit"})
            for socket in list(self.pages):
                await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the program has ended")
            for view in self.views.values():
                if view.is_alive():  # a run saves itself
                    await asyncio.to_thread(view.join, ENDING)
            await runner.cleanup()
