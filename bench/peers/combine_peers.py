#!/usr/bin/env python3
"""Times the methods of TorchJD and ConFIG on one random matrix of 8 x 50,000 gradients, for comparison with combine_bench.

    pip install torch==2.15.0 torchjd==0.18.0 conflictfree==0.1.8 cvxpy==1.9.3 clarabel==0.11.1 ecos==2.0.14 \
                quadprog==0.1.14 qpsolvers==4.13.0
    bench/peers/combine_peers.py [m] [D] [threads]

Prints the median in microseconds in float64 and float32, by default on two threads. On a machine with other work take one
thread as well: there two threads wait for each other at every barrier, for up to a time slice of the scheduler.
"""
import statistics
import sys
import time
import warnings

import torch
from conflictfree.grad_operator import ConFIGOperator, IMTLGOperator, PCGradOperator
from conflictfree.momentum_operator import PseudoMomentumOperator
from torchjd import aggregation as jd

m, d, threads = [int(word) for word in sys.argv[1:]] + [8, 50000, 2][len(sys.argv) - 1:]
torch.set_num_threads(threads)
warnings.filterwarnings("ignore")


def gradients(dtype):
    torch.manual_seed(1)
    g = torch.randn(m, d, dtype=dtype)
    return g - 0.9 * g.mean(0)


def median_microseconds(call):
    seconds = []
    total = 0.0
    while total < 1.0 or len(seconds) < 7:
        begin = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begin)
        total += seconds[-1]
        if total > 10:
            break
    return 1e6 * statistics.median(seconds)


def m_config(g):
    operator = PseudoMomentumOperator(m)
    count = [0]

    def call():
        operator.calculate_gradient(count[0] % m, g[count[0] % m])
        count[0] += 1

    for _ in range(m):  # it answers from the m-th call on
        call()
    return call


methods = {
    "ls torchjd": lambda g: lambda: jd.Sum()(g),
    "aligned-mtl torchjd": lambda g: lambda: jd.AlignedMTL()(g),
    "cagrad torchjd": lambda g: lambda: jd.CAGrad(c=0.5)(g),
    "config torchjd": lambda g: lambda: jd.ConFIG()(g),
    "dcgd torchjd": lambda g: lambda: jd.DualProj()(g),
    "fairgrad torchjd": lambda g: lambda: jd.FairGrad(alpha=2.0)(g),
    "graddrop torchjd": lambda g: lambda: jd.GradDrop()(g),
    "gradvac torchjd": lambda g: (lambda method: lambda: method(g))(jd.GradVac()),
    "imtl-g torchjd": lambda g: lambda: jd.IMTLG()(g),
    "mgda torchjd": lambda g: lambda: jd.MGDA()(g),
    "nash-mtl torchjd": lambda g: (lambda method: lambda: method(g))(jd.NashMTL(n_tasks=m, max_norm=1.0, optim_niter=20)),
    "pcgrad torchjd": lambda g: lambda: jd.PCGrad()(g),
    "rlw torchjd": lambda g: lambda: jd.Random()(g),
    "upgrad torchjd": lambda g: lambda: jd.UPGrad()(g),
    "config conflictfree": lambda g: (lambda op: lambda: op.calculate_gradient(g))(ConFIGOperator()),
    "config conflictfree-pinv": lambda g: (lambda op: lambda: op.calculate_gradient(g))(ConFIGOperator(use_least_square=False)),
    "imtl-g conflictfree": lambda g: (lambda op: lambda: op.calculate_gradient(g))(IMTLGOperator()),
    "pcgrad conflictfree": lambda g: (lambda op: lambda: op.calculate_gradient(g))(PCGradOperator()),
    "m-config conflictfree": m_config,
}

print(f"{'method':26s} {'float64':>12s} {'float32':>12s}   microseconds (m = {m}, D = {d}, {threads} threads)")
for name, make in methods.items():
    times = []
    for dtype in (torch.float64, torch.float32):
        torch.set_default_dtype(dtype)
        try:
            times.append(f"{median_microseconds(make(gradients(dtype))):12.1f}")
        except Exception as error:  # a peer that fails is shown, not hidden
            times.append(f"{type(error).__name__:>12s}")
    print(f"{name:26s} " + " ".join(times), flush=True)
