"""Whole training steps on a GPU: minigan's graphs and launches beside PyTorch's and JAX's ways. See
on_gpu_a.sh.

    python benchmarks/gpu_steps.py [--only WORKLOAD ...] [--rounds 7] [--seconds 280] \\
        [--json FILE] [--compile]

mlp64, mlp1024 the MLP GAN of mnist_gan.py, batch 64 and 1024: one ascent of D, one descent
of G
dcgan28          DCGAN on 28x28 images of 1 channel, batch 64
dcgan64          DCGAN on 64x64 images of 3 channels (features 64), batch 128
wgan-gp          the critic's step of WGAN-GP (double backward), 28x28, batch 64

All contenders of a workload are started together, each in a process of its own, and measured in
turns: a block of steps without waiting, then the GPU is waited for. fp32: products in float32,
convolutions in TF32, which is PyTorch's default; tf32: products, too; bf16: inputs of products in
bfloat16 (PyTorch: autocast and channels_last). Who is not ready in time is left out, and named.
torch.compile takes part only with --compile: to compile takes it longer than all others need
together.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import pathlib
import re
import selectors
import statistics
import subprocess
import sys
import time

import cuda_peers
import harness

HERE = pathlib.Path(__file__).resolve().parent

WORKLOADS = {  # what, batch, side, channels, features
    "mlp64": ("mlp", 64, 28, 1, 0), "mlp1024": ("mlp", 1024, 28, 1, 0),
    "dcgan28": ("dcgan", 64, 28, 1, 64),
    "dcgan64": ("dcgan", 128, 64, 3, 64), "wgan-gp": ("critic", 64, 28, 1, 64),
}  # fmt: skip
BLOCK_SECONDS = 0.15  # of a block of steps


def minigan_step(
    what, batch, side, channels, features, graph=True, tf32=False, half=False, conv_tf32=True
):
    """minigan: the examples' game, trainer and optimisers. Returns (step, wait)."""
    import minigan
    from minigan import nn
    from minigan.gan import (
        GAN,
        NonSaturating,
        Trainer,
        dcgan_discriminator,
        dcgan_generator,
        mlp_discriminator,
        mlp_generator,
    )
    from minigan.machine.precision import precision
    from minigan.optim import Adam

    minigan.manual_seed(0)
    minigan.backends.cuda.matmul.allow_tf32, minigan.backends.cudnn.allow_tf32 = tf32, conv_tf32
    precision.half = half  # as in minigan.cuda.autocast(), for the whole process
    real = minigan.rand(batch, channels, side, side, device="cuda") * 2 - 1
    if what == "critic":
        D = nn.Sequential(
            nn.Conv2d(channels, features, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(features, 2 * features, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(2 * features * (side // 4) ** 2, 1),
        ).cuda()  # fmt: skip
        opt = Adam(D.parameters(), 2e-4, (0.5, 0.999))

        def step(real):
            fake = minigan.rand_like(real) * 2 - 1
            eps = minigan.rand(batch, 1, 1, 1, device="cuda")
            between = (eps * real + (1 - eps) * fake).requires_grad_()
            (slope,) = minigan.grad(D(between).sum(), between, create_graph=True)
            penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
            opt.zero_grad()
            (D(fake).mean() - D(real).mean() + 10 * penalty).backward()
            opt.step()

    else:
        if what == "mlp":
            G, D = mlp_generator(cuda_peers.LATENT), mlp_discriminator()
        else:
            G, D = (
                f(*a, channels, side, side, features)
                for f, a in ((dcgan_generator, [cuda_peers.LATENT]), (dcgan_discriminator, []))
            )
        G, D = G.cuda(), D.cuda()
        optimizers = {n: Adam(m.parameters(), 2e-4, (0.5, 0.999)) for n, m in (("G", G), ("D", D))}
        step = Trainer(GAN(G, D, NonSaturating(), cuda_peers.LATENT), optimizers).play
    run = minigan.cuda.graph(step) if graph else step
    return lambda: run(real), minigan.cuda.synchronize


def contenders(workload, compiled=True):
    """{name: (package, maker)}; compiled: with torch.compile"""
    sizes = WORKLOADS[workload]
    torch_step = cuda_peers.torch_critic if sizes[0] == "critic" else cuda_peers.torch_gan
    ways = {
        "torch eager fp32": {}, "torch eager tf32": {"tf32": True},
        "torch eager bf16": {"precision": "bf16"},
        "torch graph fp32": {"graph": True}, "torch graph tf32": {"graph": True, "tf32": True},
        "torch graph bf16": {"graph": True, "precision": "bf16"},
        "torch graph float32 throughout": {"graph": True, "conv_tf32": False},
        "torch.compile reduce-overhead tf32": {"compiled": True, "tf32": True},
    }  # fmt: skip
    if sizes[0] == "critic" or not compiled:
        del ways["torch.compile reduce-overhead tf32"]
    found = {
        name: ("torch", lambda way=way: torch_step(*sizes, **way)) for name, way in ways.items()
    }
    found["jax jit"] = ("jax", lambda: cuda_peers.jax_step(*sizes))
    for name, way in {
        "minigan eager fp32": {"graph": False},
        "minigan graph fp32": {},
        "minigan graph tf32": {"tf32": True},
        "minigan graph bf16": {"half": True},
        "minigan graph float32 throughout": {"conv_tf32": False},
    }.items():
        found[name] = ("cupy", lambda way=way: minigan_step(*sizes, **way))
    return found


# --- a worker: warms up, says "ready", then times a block for each line on its input ---


def serve(maker):
    # JAX would take most of the memory
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    step, wait = maker()
    for _ in range(12):
        step()
    wait()
    count = 4
    while True:  # how many steps are a block
        began = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        took = time.perf_counter() - began
        if took > BLOCK_SECONDS / 3:
            count = max(4, int(count * BLOCK_SECONDS / took))
            break
        count *= 2
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        print((time.perf_counter() - began) / count, flush=True)


class Worker:
    """A contender's process."""

    def __init__(self, workload, name):
        self.name = name
        self.times = []
        self.ready = False
        command = [sys.executable, str(HERE / "gpu_steps.py"), "--worker", workload, name]
        file = re.sub("[^a-z0-9]+", "-", f"{workload} {name}".lower())
        self.errors = open(f"/tmp/gpu-steps-{os.getpid()}-{file}.log", "w+")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self.errors, bufsize=0, cwd=HERE
        )
        self.buffer = b""

    def line(self, until):
        """The next line of its output, None where it ends or takes too long."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    return None
                data = os.read(self.process.stdout.fileno(), 4096)
                if not data:
                    return None
                self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode().strip()

    def measure(self, until):
        self.process.stdin.write(b"go\n")
        answer = self.line(until)
        if answer is None:
            return False
        self.times.append(float(answer))
        return True

    def end(self):
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def fault(self):
        self.errors.flush()
        self.errors.seek(0)
        lines = [text for text in self.errors.read().strip().splitlines() if text.strip()]
        return lines[-1][:300] if lines else "no message"


def compare(workload, rounds, seconds, compiled):
    """{name: {...}}, and what was left out and why."""
    start, left_out = time.monotonic(), {}
    names = [
        n
        for n, (package, _) in contenders(workload, compiled).items()
        if importlib.util.find_spec(package)
    ]
    workers = [Worker(workload, name) for name in names]
    waiting = list(workers)
    while waiting and time.monotonic() < start + 0.75 * seconds:
        for worker in list(waiting):
            line = worker.line(time.monotonic() + 0.02)
            if line == "ready":
                worker.ready = True
                waiting.remove(worker)
            elif worker.process.poll() is not None and not worker.buffer:
                left_out[worker.name] = worker.fault()
                waiting.remove(worker)
    for worker in waiting:
        left_out[worker.name] = f"not ready after {0.75 * seconds:.0f} s"
        worker.end()
    able = [w for w in workers if w.ready]
    for _ in range(rounds):
        if time.monotonic() > start + seconds:
            break
        for worker in list(able):
            if not worker.measure(time.monotonic() + 10):
                left_out[worker.name] = worker.fault()
                able.remove(worker)
    for worker in workers:
        if worker.process.poll() is None:
            worker.end()
    results = {
        w.name: {"us": 1e6 * statistics.median(w.times), "us_min": 1e6 * min(w.times),
            "us_max": 1e6 * max(w.times), "blocks": len(w.times)}
        for w in able if w.times
    }  # fmt: skip
    return results, left_out


def versions():
    """What took part."""
    found = {}
    for package in (
        "torch",
        "jax",
        "jaxlib",
        "cupy-cuda13x",
        "cupy-cuda12x",
        "numpy",
        "nvidia-cublas",
        "nvidia-cudnn-cu13",
        "numba",
    ):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def gpu():
    """(name, driver) as nvidia-smi says."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        line = subprocess.run(
            command, capture_output=True, text=True, timeout=20
        ).stdout.splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown", "unknown"
    name, _, driver = line.partition(", ")
    return name, driver


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--only", nargs="*", default=list(WORKLOADS), choices=WORKLOADS)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--seconds", type=float, default=280, help="for everything")
    p.add_argument(
        "--json", help="where the figures go (default benchmarks/results/cuda-<gpu>-<date>.json)"
    )
    p.add_argument("--compile", action="store_true", help="with torch.compile")
    p.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = p.parse_args()
    if options.worker:
        workload, name = options.worker
        return serve(contenders(workload)[name][1])
    name, driver = gpu()
    today = datetime.date.today().isoformat()
    path = pathlib.Path(
        options.json or HERE / "results" / f"cuda-{name.lower().replace(' ', '-')}-{today}.json"
    )
    report = {
        "gpu": name,
        "driver": driver,
        "machine": harness.machine(),
        "date": today,
        "versions": versions(),
        "results": {},
        "left_out": {},
    }
    end = time.monotonic() + options.seconds
    for i, workload in enumerate(options.only):
        share = (end - time.monotonic()) / (len(options.only) - i)
        if share < 5:
            report["left_out"][workload] = "no time was left"
            continue
        results, left_out = compare(workload, options.rounds, share, options.compile)
        report["results"][workload], report["left_out"][workload] = results, left_out
        print(f"\n{workload:36}{'us/step':>10}  (min..max)")
        for contender, r in sorted(results.items(), key=lambda item: item[1]["us"]):
            print(f"{contender:36}{r['us']:10.1f}  ({r['us_min']:.1f}..{r['us_max']:.1f})")
        for contender, why in left_out.items():
            print(f"{contender:36} left out: {why}")
        sys.stdout.flush()
        path.write_text(json.dumps(report, indent=1))
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    main()
