"""The same updates as `examples/update_speed.rs` in PyTorch, one thread; compares with that program's JSON.

usage: python update_speed_torch.py [OURS.json]
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_num_interop_threads(1)

TARGETS = {
    "update_64": 0.10,
    "update_256": 0.15,
    "update_1024": 0.35,
    "update_4096": 0.6,
    "gru_32x32x64": None,
    "inference_1": 0.1,
    "inference_16": 0.2,
    "inference_256": 0.7,
}


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(18, 64), nn.Linear(64, 64)
        self.policy, self.value = nn.Linear(64, 5), nn.Linear(64, 1)

    def forward(self, x):
        h = torch.tanh(self.second(torch.tanh(self.first(x))))
        return self.policy(h), self.value(h).squeeze(-1)


def median(work):
    """Median CPU time of this thread in microseconds, over samples of at least 200."""

    def sample(repeats):
        start = time.thread_time_ns()
        for _ in range(repeats):
            work()
        return (time.thread_time_ns() - start) / repeats / 1e3

    sample(30)
    repeats = max(1, round(200 / sample(30)))
    times, begin = [], time.thread_time()
    while time.thread_time() - begin < 0.8 or len(times) < 50:
        times.append(sample(repeats))
    return sorted(times)[len(times) // 2]


def update(net, optimiser, batch, foreach):
    x, actions, old, advantages, targets = batch
    logits, values = net(x)
    log_p = F.log_softmax(logits, 1)
    ratio = (log_p.gather(1, actions).squeeze(1) - old).exp()
    policy = -torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).mean()
    entropy = -(log_p.exp() * log_p).sum(1).mean()
    value = 0.5 * (values - targets).square().mean()
    loss = policy + value - 0.01 * entropy
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5, foreach=foreach)
    optimiser.step()
    return loss.item()


def measure():
    torch.manual_seed(0)
    found = {}
    for rows in (64, 256, 1024, 4096):
        uniform = lambda *shape: torch.rand(*shape) * 2 - 1
        actions = torch.tensor([i * 7 % 5 for i in range(rows)]).unsqueeze(1)
        batch = uniform(rows, 18), actions, 0.1 * uniform(rows) - 1.6, uniform(rows), uniform(rows)
        times = []
        # PyTorch's default Adam and its fastest: the better of both counts.
        for fused in (False, True):
            net = ActorCritic()
            optimiser = torch.optim.Adam(net.parameters(), lr=3e-4, eps=1e-5, fused=fused or None)
            times.append(median(lambda: update(net, optimiser, batch, fused or None)))
        found[f"update_{rows}"] = min(times)
    gru, start = nn.GRU(64, 64), torch.zeros(1, 32, 64)
    optimiser = torch.optim.Adam(gru.parameters(), lr=3e-4, fused=True)
    x = torch.rand(32, 32, 64) * 2 - 1

    def gru_update():
        optimiser.zero_grad(set_to_none=True)
        loss = gru(x, start)[0].square().mean()
        loss.backward()
        optimiser.step()

    found["gru_32x32x64"] = median(gru_update)
    net = ActorCritic().eval()
    for rows in (1, 16, 256):
        x = torch.rand(rows, 18)
        with torch.inference_mode():
            found[f"inference_{rows}"] = median(lambda: net(x))
    return found


def main():
    theirs = measure()
    ours = json.load(open(sys.argv[1])) if len(sys.argv) > 1 else {}
    table = {"pytorch": torch.__version__}
    for name, time_us in theirs.items():
        table[name] = {"pytorch_us": round(time_us, 2), "target_ratio": TARGETS[name]}
        if name in ours:
            table[name] |= {"ours_us": ours[name], "ratio": round(ours[name] / time_us, 3)}
    print(json.dumps(table, indent=2))


main()
