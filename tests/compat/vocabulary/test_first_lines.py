"""Lines that scripts begin with, each run by itself with `torch` for minigan, and what is not
there."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import minigan
import minigan.amp
import minigan.cuda

LINES = r"""
device = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
assert not torch.backends.mps.is_built()
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = torch.compile(nn.Linear(2, 2)); assert model(torch.ones(1, 2)).shape == (1, 2)
f = torch.compile(lambda x: x + 1, mode="reduce-overhead"); assert f(torch.ones(1)).item() == 2
@torch.compile(dynamic=True)\ndef f(x): return x * 2\nassert f(torch.ones(1)).item() == 2
@torch.compile\ndef f(x): return x * 2\nassert f(torch.ones(1)).item() == 2
from torch.cuda.amp import autocast, GradScaler; scaler = GradScaler(enabled=torch.cuda.is_available())
scaler = torch.amp.GradScaler("cpu"); assert scaler.scale(torch.ones(1)).item() == 1 and scaler.state_dict() == {}
torch.set_default_dtype(torch.float32); assert torch.get_default_dtype() is torch.float32
torch.set_default_tensor_type(torch.FloatTensor); torch.set_default_tensor_type("torch.FloatTensor")
torch.set_float32_matmul_precision("high"); assert torch.get_float32_matmul_precision() == "high"
torch.set_float32_matmul_precision("highest"); assert not torch.backends.cuda.matmul.allow_tf32
torch.use_deterministic_algorithms(True); assert torch.are_deterministic_algorithms_enabled()
torch.backends.cudnn.benchmark = True; torch.backends.cudnn.deterministic = False
model = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last).to(device="cpu", non_blocking=True)
x = torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last).contiguous(memory_format=torch.contiguous_format)
x = torch.empty_like(torch.ones(2), memory_format=torch.preserve_format).clone(memory_format=torch.preserve_format)
x = torch.randn_like(torch.ones(2), memory_format=torch.channels_last_3d)
assert (torch.pi, torch.e, torch.inf) == (math.pi, math.e, math.inf) and math.isnan(torch.nan)
assert torch.finfo(torch.float32).eps == 1.1920928955078125e-07 and torch.finfo().bits == 32
assert torch.finfo(torch.float16).max == 65504 and torch.finfo(torch.float32).tiny == 1.1754943508222875e-38
assert (torch.iinfo(torch.int32).max, torch.iinfo(torch.uint8).min) == (2147483647, 0)
x = torch.ones(2); assert not (x.is_xpu or x.is_mps or x.is_sparse or x.is_quantized or x.is_meta or x.is_complex()) and x.is_cpu
x = torch.ones(2, 3); assert x.layout is torch.strided and x.nbytes == 24 and x.ndimension() == 2 and x.is_signed()
assert torch.version.cuda is None and int(torch.__version__.split(".")[0]) >= 0
import torch.multiprocessing as mp; mp.cpu_count()
torch.random.manual_seed(3); assert torch.initial_seed() == 3
torch.cuda.manual_seed_all(1); torch.cuda.empty_cache(); torch.cuda.synchronize(); torch.cuda.device_count(); torch.cuda.init()
torch.cuda.reset_peak_memory_stats(); torch.cuda.max_memory_reserved(); torch.cuda.ipc_collect(); torch.cuda.memory_reserved()
from torch.optim.optimizer import Optimizer, required
from torch.optim.lr_scheduler import ReduceLROnPlateau, _LRScheduler
from torch.nn.modules.utils import _pair, _single, _triple; assert _pair(3) == (3, 3) and _triple((1, 2, 3)) == (1, 2, 3)
from torch.nn.modules.conv import _ConvNd, Conv2d; assert issubclass(nn.Conv2d, _ConvNd) and Conv2d is nn.Conv2d
from torch.nn.modules.batchnorm import _BatchNorm; assert isinstance(nn.BatchNorm2d(2), _BatchNorm)
from torch.nn.modules.module import Module; from torch.nn.modules import Linear, loss; assert issubclass(loss.MSELoss, Module)
import torch.nn.modules.activation as activation; assert activation.ReLU is nn.ReLU
from torch.nn.parameter import Parameter; assert Parameter is nn.Parameter
from torch.nn.utils.spectral_norm import SpectralNorm, spectral_norm; assert spectral_norm is nn.utils.spectral_norm.spectral_norm
import torch.nn.utils.spectral_norm; torch.nn.utils.spectral_norm(nn.Linear(2, 2))
from torch.nn.utils.parametrizations import spectral_norm, weight_norm, orthogonal; spectral_norm(nn.Linear(2, 2))
from torch.nn.utils import parametrize; assert not parametrize.is_parametrized(nn.Linear(2, 2))
from torch.nn.utils.rnn import pad_sequence; assert pad_sequence([torch.ones(2), torch.ones(1)]).tolist() == [[1, 1], [1, 0]]
from torch.nn.parallel import DataParallel, data_parallel; assert data_parallel(nn.Identity(), torch.ones(1)).item() == 1
import torch.functional as functional; assert functional.einsum("i,i", torch.ones(2), torch.ones(2)).item() == 2 and functional.split
from torch.distributions.normal import Normal; assert Normal is torch.distributions.Normal
from torch.distributions import kl_divergence, kl; assert kl.kl_divergence is kl_divergence
from torch.utils.data.dataset import Dataset, Subset; from torch.utils.data.sampler import Sampler
from torch.utils.data.dataloader import DataLoader, default_collate
from torch.autograd.function import Function; from torch.autograd.grad_mode import no_grad
from torch.optim.swa_utils import AveragedModel, SWALR, update_bn
from torch.utils.checkpoint import checkpoint; assert checkpoint(torch.exp, torch.zeros(1), use_reentrant=False).item() == 1
from torch.func import functional_call
torch.set_printoptions(precision=2); assert repr(torch.tensor(1.23456)) == "tensor(1.23)"; torch.set_printoptions(precision=4)
with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=False): assert not torch.is_autocast_enabled()
from torch.cuda.amp import custom_bwd, custom_fwd; f = custom_fwd(lambda ctx, x: x); assert f(None, 1) == 1
from torch.cuda.amp import custom_fwd; f = custom_fwd(cast_inputs=torch.float32)(lambda ctx, x: x); assert f(None, 1) == 1
scaler = torch.GradScaler("cuda", enabled=False); assert not scaler.is_enabled()
def noise(n: int, dtype: torch.dtype = torch.float32, device: torch.device = torch.device("cpu")): return torch.zeros(n, dtype=dtype)\nassert isinstance(noise(2).dtype, torch.dtype)
torch.cuda.set_rng_state_all(torch.cuda.get_rng_state_all()); assert len(torch.cuda.get_rng_state_all()) == 1
from torch.utils.data import get_worker_info; assert get_worker_info() is None
assert torch.arange(3)[:, torch.newaxis].shape == (3, 1)
assert torch.cosine_similarity(torch.ones(1, 2), torch.ones(1, 2)).item() > 0.99 and torch.pairwise_distance(torch.ones(1, 2), torch.zeros(1, 2)).shape == (1,)
assert torch.pixel_shuffle(torch.ones(1, 4, 1, 1), 2).shape == (1, 1, 2, 2) and torch.max_pool2d(torch.ones(1, 1, 2, 2), 2).shape == (1, 1, 1, 1)
fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(4, 3, 5, 5)); assert (fan_in, fan_out) == (75, 100)
assert nn.init._calculate_correct_fan(torch.empty(4, 3), "fan_out") == 4 and nn.Linear(1, 2)._get_name() == "Linear"
with torch.random.fork_rng(devices=[], enabled=True): torch.manual_seed(0); a = torch.rand(2)\nb = torch.rand(2); torch.manual_seed(0); assert torch.equal(torch.rand(2), a) and not torch.equal(a, b)
from torch.nn.utils import clip_grad_norm; p = torch.ones(1, requires_grad=True); assert clip_grad_norm([p], 1).item() == 0; p.grad = torch.ones(1) * 4; clip_grad_norm([p], 1); assert abs(p.grad.item() - 1) < 1e-5
x = torch.arange(4.0).view(1, 1, 2, 2); assert torch.equal(nn.functional.upsample_bilinear(x, scale_factor=2), nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)) and nn.functional.upsample_nearest(x, 4).shape == (1, 1, 4, 4)
nn.Linear(2, 2).share_memory().half().double().float().requires_grad_(False).zero_grad(set_to_none=True)
"""
LINES = [line.replace("\\n", "\n") for line in LINES.strip().splitlines()]


@pytest.mark.parametrize("line", LINES)
def test_first_line(line):
    import math

    names = {"torch": minigan, "nn": minigan.nn, "math": math}
    precision = minigan.backends.cuda.matmul.allow_tf32
    try:
        exec(
            line.replace("from torch", "from minigan").replace("import torch.", "import minigan."),
            names,
        )
    finally:
        minigan.backends.cuda.matmul.allow_tf32 = precision


NOT_THERE = {
    "import minigan.distributed.rpc": "minigan.distributed has no 'rpc'",
    "from minigan import hub": "minigan has no 'hub'; networks are in vision.models, their "
    "weights come from files",
    "from minigan.nn import Foo": "minigan.nn has no 'Foo'",
    "from minigan.nn.functional import stft": "minigan.nn.functional has no 'stft'",
    "from minigan.vision import ops": "minigan.vision has no 'ops'",
    "from minigan.optim.lr_scheduler import Foo": "minigan.optim.lr_scheduler has no 'Foo'",
    "minigan.jit.script": "'minigan' has no attribute 'jit'; minigan.cpu.graph",
    "minigan.nn.CTCLoss": "'minigan.nn' has no attribute 'CTCLoss'",
    "minigan.nn.functional.stft": "'minigan.nn.functional' has no attribute 'stft'",
    "minigan.optim.LBFGS": "'minigan.optim' has no attribute 'LBFGS'",
    "minigan.cuda.nvtx": "'minigan.cuda' has no attribute 'nvtx'",
    "minigan.ones(1).stft": "'Tensor' object has no attribute 'stft'",
}


@pytest.mark.parametrize("line", NOT_THERE)
def test_what_is_not_there_says_where_to_read_on(line):
    with pytest.raises((ImportError, AttributeError)) as caught:
        exec(line, {"minigan": minigan})
    assert isinstance(caught.value, ImportError) == ("import" in line)
    assert NOT_THERE[line] in str(caught.value) and "docs/porting.md" in str(caught.value)


def test_bfloat16_is_no_dtype_of_tensors():
    assert repr(minigan.bfloat16) == "bfloat16"
    for make in (
        lambda: minigan.zeros(2, dtype=minigan.bfloat16),
        lambda: minigan.ones(2).to(minigan.bfloat16),
        lambda: minigan.nn.Linear(2, 2).to(minigan.bfloat16),
        lambda: minigan.set_default_dtype(minigan.bfloat16),
    ):
        # NumPy before 2.4 puts its own message in the place of ours
        with pytest.raises(TypeError, match="Tensor of minigan is bfloat16|interpret 'bfloat16'"):
            make()


def test_hasattr_and_private_names():
    assert (
        not hasattr(minigan, "hub")
        and not hasattr(minigan.nn, "Foo")
        and hasattr(minigan.nn.utils, "parametrize")
    )
    assert not hasattr(minigan.ones(1), "stft")
    with pytest.raises(AttributeError, match="no attribute '_private'$"):
        minigan._private  # noqa: B018


def test_autocast_has_no_effect_on_the_cpu():
    with pytest.warns(UserWarning, match="no effect on the CPU") as said:
        scope = minigan.autocast(device_type="cpu", dtype="bfloat16")
    assert said[0].filename == __file__, (
        "a warning names the line of the program: Python says it once for each"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with scope, minigan.autocast("cpu"), minigan.amp.autocast("cuda", enabled=False):
            assert (minigan.ones(1, 2) @ minigan.full((2, 1), 1.001)).item() == np.float32(
                1.001
            ) * 2

        @minigan.autocast("cpu")
        def double(x):
            return 2 * x

        assert double(minigan.ones(1)).item() == 2
    with pytest.raises(ValueError, match="expected 'cpu' or 'cuda'"):
        minigan.autocast("tpu")


def test_a_step_with_a_scaler():
    x = minigan.ones(2, requires_grad=True)
    optimizer, scaler = minigan.optim.SGD([x], 0.5), minigan.amp.GradScaler()
    scaler.scale(x.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert x.tolist() == [0.5, 0.5] and scaler.get_scale() == 1.0 and not scaler.is_enabled()


def test_default_dtype():
    try:
        minigan.set_default_dtype(minigan.float64)
        made = [
            minigan.zeros(2), minigan.ones(1), minigan.empty(1), minigan.full((1,), 0.5),
            minigan.linspace(0, 1, 3), minigan.eye(2),
            minigan.rand(1), minigan.randn(2), minigan.normal(0.0, 1.0, (2,)),
            minigan.tensor([0.1]), minigan.Tensor([1]),
            minigan.arange(0.0, 1.0, 0.5), minigan.tensor([3]) / 2, minigan.as_tensor([0.5]),
            minigan.Tensor(np.ones(2, np.float32)),
            minigan.nn.Transformer.generate_square_subsequent_mask(2),
            nn_output(), *minigan.nn.BatchNorm1d(2).state_dict().values(),
            minigan.nn.PReLU().weight,
        ]  # fmt: skip
        assert {x.dtype.name for x in made[:-2]} | {made[-1].dtype.name} == {
            "float64"
        } and minigan.arange(2).dtype == np.int64
        assert minigan.finfo().bits == 64 and minigan.tensor(0.1).item() == 0.1
    finally:
        minigan.set_default_dtype("float32")
    assert minigan.zeros(1).dtype == np.float32
    with pytest.raises(TypeError, match="only floating-point dtypes"):
        minigan.set_default_dtype(minigan.int64)


def nn_output():
    return minigan.nn.Sequential(minigan.nn.Conv1d(1, 1, 1), minigan.nn.Linear(2, 2))(
        minigan.ones(1, 1, 2)
    )


def test_default_device():
    minigan.set_default_device("cpu")
    assert minigan.get_default_device() == minigan.device("cpu")
    if not minigan.cuda.is_available():
        with pytest.raises(minigan.DeviceError):
            minigan.set_default_device("cuda")


# --- Tensor(array) ---


def test_tensor_of_numpy_is_of_the_default_dtype():
    for dtype in ("float64", "float16", "int64", "uint8", "bool"):
        x = minigan.Tensor(np.ones(2, dtype))
        assert x.dtype == np.float32 and x.tolist() == [1, 1]
    memory = np.ones(2, np.float32)
    shared, tensor = minigan.Tensor(memory), minigan.ones(2, dtype="float64")
    memory[0] = 5
    assert shared.tolist() == [5, 1]
    assert (
        minigan.Tensor(tensor).dtype == np.float64
        and minigan.Tensor(tensor).data_ptr() == tensor.data_ptr()
    )
    assert minigan.Tensor([np.ones(2), np.zeros(2)]).dtype == np.float32 and minigan.Tensor(
        np.array(3)
    ).shape == (3,)
    assert minigan.Tensor(np.array(3.0)).shape == () and minigan.Tensor(range(3)).tolist() == [
        0,
        1,
        2,
    ]
    assert minigan.Tensor([1.0], device="cpu").tolist() == [1]
    for keeps in (minigan.tensor, minigan.as_tensor, minigan.from_numpy):
        assert keeps(np.ones(2)).dtype == np.float64 and keeps(np.ones(2, int)).dtype == np.int64
    net = minigan.nn.Linear(1, 1)
    assert (
        net(
            minigan.autograd.Variable(minigan.Tensor(np.random.default_rng(0).normal(4, 1, (3, 1))))
        ).dtype
        == np.float32
    )


def test_index_of_floats():
    x = minigan.arange(6.0)
    assert (
        x[np.array([1.0, -2.9])].tolist() == [1, 4]
        and x[[1.0, 2.0]].tolist() == [1, 2]
        and x[np.array(2.0)].item() == 2
    )
    assert x.view(2, 3)[:, np.array([1.0, 2.0])].tolist() == [[1, 2], [4, 5]]
    assert x.view(2, 3)[np.array([0.0, 1.0]), np.array([1.0, 2.0], np.float32)].tolist() == [1, 5]
    x[np.array([0.0, 2.0])] = 7
    assert x[:3].tolist() == [7, 1, 7]
    x.requires_grad_()
    x[np.array([1.0, 1.0])].sum().backward()
    assert x.grad.tolist() == [0, 2, 0, 0, 0, 0]
    with pytest.raises(IndexError):
        x[minigan.tensor([1.0])]


# --- what else programs lean on ---


def test_an_optimizer_of_the_users_own():
    from minigan.optim.optimizer import Optimizer, required

    class Sgd(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, dict(lr=lr))

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    if len(state) == 0:
                        state["sum"], state["scale"] = minigan.zeros_like(p.data), 1.5
                    state["sum"].add_(p.grad.data)
                    p.data.add_(state["sum"], alpha=-group["lr"] * state["scale"])

    x = minigan.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="'lr', which it must give"):
        Sgd([x])
    optimizer = Sgd([x], 0.1)
    schedule = minigan.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    for _ in range(2):
        optimizer.zero_grad()
        x.sum().backward()
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            schedule.step()
    np.testing.assert_allclose(x.tolist(), [0.7, 0.7], rtol=1e-6)
    again = Sgd([x], 0.1)
    again.load_state_dict(optimizer.state_dict())
    assert again.state[x]["sum"].tolist() == [2, 2] and again.state[x]["scale"] == 1.5


def test_summary_writer(tmp_path):
    pytest.importorskip("tensorboardX")
    from minigan.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", minigan.tensor(0.5, requires_grad=True), 1)
        writer.add_scalars("both", {"a": minigan.tensor(1.0), "b": 2.0}, 1)
        writer.add_image("picture", minigan.rand(3, 4, 4), 1)
        writer.add_images("pictures", minigan.rand(2, 3, 4, 4), 1)
        writer.add_histogram("weights", minigan.nn.Linear(3, 3).weight, 1)
        with pytest.raises(NotImplementedError, match=r"minigan\.summary"):
            writer.add_graph(minigan.nn.Linear(1, 1))
    (file,) = tmp_path.glob("events*")
    data = file.read_bytes()
    assert (
        all(tag in data for tag in (b"loss", b"picture", b"pictures", b"weights"))
        and np.float32(0.5).tobytes() in data
    )


def test_summary_writer_without_tensorboardx():
    code = (
        "import sys; sys.modules['tensorboardX'] = None; from minigan.utils.tensorboard "
        "import SummaryWriter"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        "ImportError: SummaryWriter needs the package tensorboardX: pip install "
        "'minigan[tensorboard]'" in done.stderr
    )
