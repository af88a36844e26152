"""The live page's server: who is let in, and what is said between it and pages."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live.serving import Page, serving

aiohttp = pytest.importorskip("aiohttp", reason="the live page needs aiohttp")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(runs=str(tmp_path_factory.mktemp("runs"))) as server:
        yield server


def fetch(server, path="", **headers):
    """(status, headers, text) of an address below the token's."""

    async def get():
        async with aiohttp.ClientSession() as session:
            url = server.address + path if "://" not in path else path
            async with session.get(url, headers=headers) as response:
                return response.status, response.headers, await response.text()

    return asyncio.run(get())


# --- who is let in ---


def test_the_page_and_what_it_may_do(server):
    status, headers, text = fetch(server)
    assert status == 200 and "<title>minigan live</title>" in text
    rules = headers["Content-Security-Policy"]
    assert "default-src 'none'" in rules and "http" not in rules and "unsafe" not in rules
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers
    status, headers, _ = fetch(server, "main.js")
    assert status == 200 and headers["Content-Type"].startswith("text/javascript")


def test_nothing_of_the_page_comes_from_other_hosts():
    from minigan.live.server import PAGE

    for path in PAGE.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text and "https:" not in text and "//cdn" not in text, path


@pytest.mark.parametrize("path", ["nothing.js", "..%2fserver.py", "../server.py", "style.css/x"])
def test_only_the_page_is_served(server, path):
    assert fetch(server, path)[0] == 404


def test_without_the_token(server):
    root = f"http://127.0.0.1:{server.port}/"
    for path in (root, root + "x/", root + "x/main.js", root + server.token[:-1] + "/"):
        status, headers, text = fetch(server, path)
        assert status == 404 and server.token not in text and "no-store" in headers["Cache-Control"]
    assert len(server.token) >= 32


def test_two_servers_have_two_tokens():
    from minigan.live.views import server_of

    assert server_of().token != server_of().token


def test_another_name_for_this_host(server):
    """A page of another host whose name was made to lead here (DNS rebinding)."""
    assert fetch(server, Host=f"evil.example:{server.port}")[0] == 403
    assert fetch(server, Host="127.0.0.1")[0] == 403
    assert fetch(server, Host=f"localhost:{server.port}")[0] == 200


def test_another_page(server):
    assert fetch(server, Origin="http://evil.example")[0] == 403
    assert fetch(server, Origin="null")[0] == 403

    async def connect(**named):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(server.address + "socket", **named)
            return refused.value.status

    assert asyncio.run(connect(origin="http://evil.example")) == 403
    assert asyncio.run(connect()) == 403  # no browser's page


def test_it_listens_on_this_machine_alone(server):
    others = {
        info[4][0]
        for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    } - {"127.0.0.1"}  # fmt: skip
    for address in others or {"127.0.0.2"}:
        with pytest.raises(OSError):
            socket.create_connection((address, server.port), 2).close()


# --- what is said ---


def test_a_game_is_played_a_move_at_a_time(server):
    async def scene():
        async with Page(server) as page:
            hello = await page.next("hello")
            assert "unrolled" in hello["plane"]["games"] and "cgan" in hello["images"]["systems"]
            data = await page.next("data", "plane")
            assert data["points"].shape == (2000, 2) and data["points"].dtype == np.float32
            await page.send("plane", "restart")
            first = await page.next("frame", "plane", lambda m: m["step"] == 0 and not m["moved"])
            await page.send("plane", "half")
            half = await page.next("frame", "plane", lambda m: m["moved"] == ["D"])
            assert half["step"] == 0
            np.testing.assert_array_equal(half["samples"], first["samples"])
            assert (half["surface"] != first["surface"]).any()
            await page.send("plane", "half")
            whole = await page.next("frame", "plane", lambda m: m["moved"] == ["G"])
            assert whole["step"] == 1 and (whole["samples"] != first["samples"]).any()
            np.testing.assert_array_equal(whole["surface"], half["surface"])
            await page.send("plane", "step")
            assert (await page.next("frame", "plane"))["step"] == 2

    asyncio.run(scene())


def test_rates_and_rules_change_while_it_runs(server):
    async def scene():
        async with Page(server) as page:
            await page.send("plane", "start")
            await page.next("frame", "plane", lambda m: m["step"] > 5)
            await page.send("plane", "rate", player="D", rate=3e-4)
            await page.send("plane", "choose", objective="hinge", k=2)
            state = await page.next("state", "plane", lambda m: m["choice"]["k"] == 2)
            assert state["running"] and state["rates"]["D"] == 3e-4 and state["step"] > 5
            later = await page.next("frame", "plane", lambda m: m["step"] > state["step"])
            assert not later["logistic"]  # a hinge's D tells no probability
            await page.send("plane", "choose", data="moons", game="lsgan")
            state = await page.next("state", "plane", lambda m: m["choice"]["game"] == "lsgan")
            assert state["running"] and state["choice"]["objective"] == "lsgan"
            await page.send("plane", "pause")
            await page.next("state", "plane", lambda m: not m["running"])

    asyncio.run(scene())


def test_a_drawing_is_learned(server):
    async def scene():
        points = [[x / 20, 1.0] for x in range(-20, 21)]
        async with Page(server) as page:
            await page.next("data", "plane")
            await page.send("plane", "draw", points=points)
            data = await page.next("data", "plane", lambda m: m["limit"] == 1.5)
            assert abs(data["points"][:, 1].mean() - 1) < 0.02
            state = await page.next("state", "plane")
            assert state["choice"]["data"] == "drawn"
            await page.send("plane", "choose", data="ring")

    asyncio.run(scene())


def test_slow_motion(server):
    async def scene():
        async with Page(server) as page:
            await page.send("plane", "restart")
            await page.send("plane", "speed", rounds=2.5)
            await page.send("plane", "start")
            moved = []
            for _ in range(5):
                moved.append((await page.next("frame", "plane", lambda m: m["moved"]))["moved"])
            await page.send("plane", "pause")
            await page.send("plane", "speed", rounds=None)
            assert ["D"] in moved and ["G"] in moved and len(set(map(str, moved))) == 2

    asyncio.run(scene())


@pytest.mark.parametrize(
    "command, said",
    [
        ({"do": "fly"}, "no command 'fly'"),
        ({"do": "choose", "game": "chess"}, "game 'chess'"),
        ({"do": "choose", "data": "drawn", "seed": -1}, "seed -1"),
        ({"do": "rate", "player": "D", "rate": "much"}, "rate 'much'"),
        ({"do": "rate"}, "missing"),
        ({"do": "speed", "rounds": 0}, "speed 0"),
        ({"do": "draw", "points": [["a", "b"]]}, "could not convert"),
        ({"do": "quit"}, "ours to say"),
        ({"do": "watched", "yes": False}, "ours to say"),
        ({"do": "__init__"}, "no command"),
    ],
)
def test_what_cannot_be_done_is_told(server, command, said):
    async def scene():
        async with Page(server) as page:
            await page.send("plane", command.pop("do"), **command)
            assert said in (await page.next("complaint"))["text"]

    asyncio.run(scene())


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"view": "plane"}', '{"view": "x", "do": 1}']
)
def test_what_is_no_command(server, text):
    async def scene():
        async with Page(server) as page:
            await page.socket.send_str(text)
            assert (await page.next("complaint"))["text"] == "no command"
            await page.send("plane", "pause")  # it goes on
            await page.next("state", "plane")

    asyncio.run(scene())


def test_a_message_without_end(server):
    async def scene():
        async with Page(server) as page:
            await page.socket.send_str("x" * 2**21)
            with pytest.raises(AssertionError, match="closed"):
                await page.next("never")

    asyncio.run(scene())
    assert fetch(server)[0] == 200


def test_a_slow_page_misses_pictures_but_no_complaint():
    from minigan.live.server import Mailbox

    async def scene():
        mailbox = Mailbox()
        for i in range(3):
            mailbox.put("plane", "frame", f"frame {i}")
            mailbox.put("plane", "complaint", f"complaint {i}")
        mailbox.put("plane", "state", "state")
        found = await mailbox.take()
        assert found == ["complaint 0", "complaint 1", "frame 2", "complaint 2", "state"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mailbox.take(), 0.05)

    asyncio.run(scene())


def test_a_fault_of_ours_is_told(server, monkeypatch, capsys):
    def broken(self):
        raise RuntimeError("a loose wire")

    view = server.views["plane"]
    monkeypatch.setattr(view, "do_restart", lambda: broken(view))

    async def scene():
        async with Page(server) as page:
            await page.send("plane", "restart")
            state = await page.next("state", "plane", lambda m: m["error"])
            assert state["error"] == "RuntimeError: a loose wire" and not state["running"]
            await page.send("plane", "start")  # anew
            await page.next("frame", "plane", lambda m: m["step"] > 1)
            await page.send("plane", "pause")
            await page.next("state", "plane", lambda m: not m["running"])

    asyncio.run(scene())
    assert "a loose wire" in capsys.readouterr().err


# --- pages come and go ---


def test_opened_twice_both_see_the_same(server):
    async def scene():
        async with Page(server) as first, Page(server) as second:
            await first.send("plane", "restart")
            await first.send("plane", "start")
            await first.next("frame", "plane", lambda m: m["step"] > 3)
            await second.send("plane", "pause")
            await first.next("state", "plane", lambda m: not m["running"])
            await first.send("plane", "half")
            a = await first.next("frame", "plane", lambda m: len(m["moved"]) == 1)
            number = a["frames"]
            last = await second.next("frame", "plane", lambda m: m["frames"] >= number)
            assert last["frames"] == number and last["step"] == a["step"]

    asyncio.run(scene())


def test_a_closed_page_holds_the_game_and_a_new_one_goes_on(server):
    view = server.views["plane"]

    async def play():
        async with Page(server) as page:
            await page.send("plane", "restart")
            await page.send("plane", "start")
            await page.next("frame", "plane", lambda m: m["step"] > 3)

    async def held():
        for _ in range(100):
            before = view.game.step
            await asyncio.sleep(0.2)
            if not view.watched and view.game.step == before:
                return before
        raise AssertionError("it plays for nobody")

    async def again(step):
        async with Page(server) as page:
            state = await page.next("state", "plane")
            assert state["running"]
            assert (await page.next("frame", "plane", lambda m: m["step"] > step))["step"] > step
            await page.send("plane", "pause")
            await page.next("state", "plane", lambda m: not m["running"])

    asyncio.run(play())
    asyncio.run(again(asyncio.run(held())))


def test_a_game_that_diverges_is_told_and_begins_anew(server):
    async def scene():
        async with Page(server) as page:
            await page.send("plane", "choose", game="gan", objective="kl")
            for player in "DG":
                await page.send("plane", "rate", player=player, rate=10.0)
            await page.send("plane", "start")
            state = await page.next("state", "plane", lambda m: m["error"])
            assert not state["running"] and "lower the learning rate" in state["error"]
            await page.send("plane", "half")  # it is over: nothing moves
            await page.send("plane", "start")
            state = await page.next("state", "plane", lambda m: m["running"])
            assert not state["error"] and state["rates"]["D"] == 1e-3
            await page.next("frame", "plane", lambda m: m["step"] > 2)
            await page.send("plane", "pause")
            await page.next("state", "plane", lambda m: not m["running"])

    asyncio.run(scene())


# --- the command ---


def live(*words, **named):
    return subprocess.run(
        [sys.executable, "-m", "minigan", "live", "--no-browser", *words],
        capture_output=True, text=True, timeout=120, **named,
    )  # fmt: skip


def complaint(done):
    """The one line of a command that has failed, beside that kernels are compiled."""
    lines = [x for x in done.stderr.splitlines() if "compiling CPU kernels" not in x]
    assert done.returncode == 2 and len(lines) == 1, done.stderr
    return lines[0]


def test_an_unknown_run_is_one_line(tmp_path):
    done = live(str(tmp_path / "nothing"))
    assert complaint(done).startswith("error: there is no saved model in ") and done.stdout == ""


def test_a_run_of_something_else_is_one_line(tmp_path):
    """A run in the plane has no pictures to walk through."""
    run = Path(__file__).parents[2] / "examples" / "toy_2d.py"
    words = ["--max-steps", "1", "--quiet", "--out", str(tmp_path / "toy"), "--device", "cpu"]
    subprocess.run([sys.executable, str(run), *words], check=True, capture_output=True, timeout=120)
    done = live(str(tmp_path / "toy"))
    assert "holds no game that can be built" in complaint(done)


def test_a_port_that_is_taken_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = live("--port", str(port))
    assert complaint(done).startswith(f"error: port {port} cannot be had (")


def test_it_ends_when_asked():
    process = subprocess.Popen(
        [sys.executable, "-m", "minigan", "live", "--no-browser"], stdout=subprocess.PIPE, text=True
    )
    address = process.stdout.readline()
    assert address.startswith("live at http://127.0.0.1:")
    process.terminate()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 143 and "ended" in rest
