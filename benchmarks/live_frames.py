#!/usr/bin/env python3
"""How many pictures of the plane a second the live page is sent while training goes on.

python benchmarks/live_frames.py --seconds 10

The page's own reader takes each as it comes; `painted` of the page itself is shown there
(pictures/s).
"""

import argparse
import asyncio
import json
import os
import tempfile
import time

import aiohttp

from minigan.live.views import server_of


async def measured(games, seconds):
    stop, there = asyncio.Event(), asyncio.Event()
    server = server_of(runs=tempfile.mkdtemp())
    serving = asyncio.create_task(server.serve(0, lambda address: there.set(), stop))
    await there.wait()
    origin = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession() as session:
        page = await session.ws_connect(server.address + "socket", origin=origin, max_msg_size=0)
        for game in games:
            for command in ({"do": "choose", "game": game}, {"do": "start"}):
                await page.send_str(json.dumps({"view": "plane"} | command))
            begin, pictures, size = time.perf_counter() + 1.5, [], 0  # kernels are compiled
            while time.perf_counter() < begin + seconds:
                message = await page.receive()
                if not pictures:
                    used = time.process_time()
                if isinstance(message.data, bytes) and time.perf_counter() > begin:
                    head = json.loads(
                        message.data[4 : 4 + int.from_bytes(message.data[:4], "little")]
                    )
                    if head["kind"] == "frame":
                        pictures.append(head["step"])
                        size = len(message.data)
            used = (time.process_time() - used) / seconds
            print(
                f"{game:10} {len(pictures) / seconds:5.1f} pictures/s of {size / 1024:.0f} kB, "
                f"{(pictures[-1] - pictures[0]) / seconds:6.1f} rounds/s, "
                f"{used:.2f} CPUs used"
            )
        await page.close()
    stop.set()
    await serving


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--games", nargs="+", default=["gan", "wgan-gp", "unrolled", "madgan", "began"])
    p.add_argument("--seconds", type=float, default=5.0)
    options = p.parse_args()
    print(f"CPUs {len(os.sched_getaffinity(0))}, load {os.getloadavg()[0]:.1f}")
    asyncio.run(measured(options.games, options.seconds))


if __name__ == "__main__":
    main()
