"""What torch's names do on a GPU (pytest -m gpu)."""

import pytest

import minigan
from minigan import nn, optim

pytestmark = pytest.mark.gpu


def test_names():
    assert minigan.cuda.is_available() and minigan.cuda.device_count() >= 1
    assert "free" in minigan.cuda.memory_summary() and minigan.cuda.get_device_name()
    minigan.cuda.synchronize()


def test_a_compiled_step_is_a_graph_of_the_same_results():
    found = []
    for wrap in (lambda f: f, minigan.compile):
        minigan.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)).cuda()
        optimizer = optim.Adam(net.parameters(), 0.01)

        @wrap
        def step(x):
            loss = net(x + minigan.randn(4, 3, device="cuda")).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss.detach()

        x = minigan.ones(4, 3, device="cuda")
        losses = [step(x).item() for _ in range(10)]
        found.append((losses, net[0].weight.detach().cpu().numpy().tolist()))
    assert found[0] == found[1]
    assert any(graph is not None for graph in step.graphs.values())
