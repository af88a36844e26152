"""A live server in a thread of the test's process, and one that a test talks to as a page does."""

import asyncio
import contextlib
import json
import threading

import numpy as np


@contextlib.contextmanager
def serving(**named):
    """A server that listens, until the end of the block."""
    from minigan.live.views import server_of

    server, there, loops = server_of(**named), threading.Event(), []

    async def main():
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        await server.serve(0, lambda address: there.set(), stop)

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert there.wait(60)
        yield server
    finally:
        loop, stop = loops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(90)
        assert not thread.is_alive()


def decoded(data):
    """A message as values; its arrays as NumPy's."""
    if isinstance(data, str):
        return json.loads(data)
    length = int.from_bytes(data[:4], "little")
    message, at = json.loads(data[4 : 4 + length]), 4 + length
    for name, dtype, shape in message["arrays"]:
        count = int(np.prod(shape))
        message[name] = np.frombuffer(data, dtype, count, at).reshape(shape)
        at += -(-message[name].nbytes // 4) * 4
    return message


class Page:
    """What a page does: `async with Page(server) as page`."""

    def __init__(self, server):
        self.server = server

    async def __aenter__(self):
        import aiohttp

        self.session = aiohttp.ClientSession()
        origin = self.server.address.rsplit("/", 2)[0]
        self.socket = await self.session.ws_connect(
            self.server.address + "socket", origin=origin, max_msg_size=0
        )
        return self

    async def __aexit__(self, *error):
        await self.socket.close()
        await self.session.close()

    async def send(self, view, do, **values):
        await self.socket.send_str(json.dumps({"view": view, "do": do, **values}))

    async def next(self, kind, view=None, that=lambda message: True, seconds=60):
        """The next message of this kind that fits."""
        async with asyncio.timeout(seconds):
            async for message in self.socket:
                found = decoded(message.data)
                fits = found["kind"] == kind and view in (None, found.get("view"))
                if fits and that(found):
                    return found
        raise AssertionError(f"the connection was closed before there was {kind}")
