#!/usr/bin/env python3
"""Writes peer_vectors.txt: what other people's code answers to small sets of task gradients, in float64.

    pip install torch==2.15.0 torchjd==0.18.0 conflictfree==0.1.8 numpy==2.4.6 scipy==1.17.1 \
                cvxpy==1.9.3 clarabel==0.11.1 ecos==2.0.14 quadprog==0.1.14 qpsolvers==4.13.0
    git clone https://github.com/median-research-group/LibMTL  (commit 4336804)
    git clone https://github.com/tum-pbs/ConFIG                (its experiments hold LRA and ReLoBRaLo)
    git clone https://github.com/ThomBors/samgs
    ./make_peer_vectors.py LibMTL ConFIG samgs > peer_vectors.txt

Format:  set ID M D, then M lines of a gradient, a line of losses, a line of losses behind the step;
         case COMBINER OPTIONS PEER FACTOR IDS, then for each of the sets a line: FACTOR times the peer's direction, or -.
OPTIONS are those of our combiner ("-": none). FACTOR accounts for conventions (a mean instead of a sum, ...).
Orders of tasks that peers draw at random are replaced by 0 ... m-1, iterations are run until they stand still.
"""
import importlib.util
import random
import sys
import types

import numpy as np
import torch

libmtl_dir, config_dir, samgs_dir = sys.argv[1:4]
torch.set_default_dtype(torch.float64)
torch.manual_seed(20250901)
torch.randperm = lambda n, **kwargs: torch.arange(n)
random.shuffle = lambda items: None

import cvxpy as cp
import scipy.optimize
from conflictfree.grad_operator import ConFIGOperator, IMTLGOperator, PCGradOperator
from conflictfree.length_model import (TrackArithmeticAverage, TrackGeometricAverage, TrackHarmonicAverage, TrackMaximum,
                                       TrackMinimum)
from conflictfree.momentum_operator import PseudoMomentumOperator
from torchjd import aggregation as jd, scalarization as js
from torchjd._linalg._dual_cone import QuadprogProjector

# Solvers of the peers, told to go on to rounding.
solve = cp.Problem.solve
tight = dict(tol_gap_abs=1e-15, tol_gap_rel=1e-15, tol_feas=1e-14)
cp.Problem.solve = lambda self, solver, **kwargs: solve(self, solver=solver, **({**kwargs, **tight} if solver == cp.CLARABEL else kwargs))
minimize = scipy.optimize.minimize
scipy.optimize.minimize = lambda *args, **kwargs: minimize(*args, **kwargs, tol=1e-16, options={"maxiter": 1000})

D = 10
STEPS = 3


def row(values):
    print(" ".join(f"{float(v):.17g}" for v in values))


def sample(m):
    g = torch.randn(m, D)
    g -= 0.6 * g.mean(0)  # some conflict
    g *= 10 ** (torch.rand(m, 1) - 0.5)  # norms differ by up to ten
    return g, torch.rand(m) + 0.2, torch.rand(m) + 0.1


sets = {m: [sample(m) for _ in range(STEPS)] for m in range(2, 7)}


def case(name, options, peer, factor, m, answers):
    ids = ",".join(f"{m}.{k % STEPS}" for k in range(len(answers)))
    print("case", name, options, peer, f"{factor:.17g}", ids)
    for answer in answers:
        print("-") if answer is None else row(factor * answer)


def each(name, options, peer, make, factor=lambda m: 1.0, steps=1, most=6):
    """make(m) gives a function of (gradients, losses, losses after) that answers with a direction."""
    for m in range(2, most + 1):
        method = make(m)
        case(name, options, peer, factor(m), m, [method(*sets[m][k % STEPS]) for k in range(steps)])


def aggregator(make):
    return lambda m: (lambda method: lambda g, losses, after: method(g))(make(m))


def scalarizer(make, after_step=lambda method, after: None):
    def build(m):
        method = make(m)

        def answer(g, losses, after):
            leaf = losses.clone().requires_grad_()
            (weights,) = torch.autograd.grad(method(leaf), leaf)
            after_step(method, after)
            return weights @ g

        return answer

    return build


# ---- LibMTL: methods are mixed into a trainer; this one has a vector of shared parameters and linear losses ----
def libmtl(name, **kwargs):
    package = types.ModuleType("LibMTL")
    package.__path__ = [f"{libmtl_dir}/LibMTL"]
    sys.modules["LibMTL"] = package
    weighting = types.ModuleType("LibMTL.weighting")
    weighting.__path__ = [f"{libmtl_dir}/LibMTL/weighting"]
    sys.modules["LibMTL.weighting"] = weighting
    method = getattr(importlib.import_module(f"LibMTL.weighting.{name}"), name)

    def build(m):
        trainer = method()
        trainer.task_num, trainer.device, trainer.rep_grad, trainer.epoch = m, "cpu", False, 0
        theta = torch.nn.Parameter(torch.zeros(D))
        trainer.get_share_params = lambda: iter([theta])
        trainer.zero_grad_share_params = lambda: theta.grad.zero_()
        trainer.init_param()

        def answer(g, losses, after):
            theta.grad = torch.zeros(D)
            trainer.backward(losses + g @ theta, **kwargs)
            if name == "FAMO":
                trainer.update_w(after)
            trainer.epoch += 1
            return theta.grad.clone()

        return answer

    return build


class Nash(jd.NashMTL):
    """TorchJD's, iterated until it stands still instead of to a residual of 1e-3."""

    def __init__(self, m):
        super().__init__(n_tasks=m, max_norm=1.0, optim_niter=200)
        still = lambda gtg, a: np.linalg.norm(gtg @ a - 1 / a) < 1e-12 if a is not None else True
        self.weighting._stop_criteria = still


def m_config(m):
    operator = PseudoMomentumOperator(m, beta_1=0.9)
    count = [0]

    def answer(g, losses, after):
        i = count[0] % m
        count[0] += 1
        operator.calculate_gradient(i, g[i])
        return operator.fake_m / (1 - 0.9**operator.t) if operator.t else None

    return answer


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sam_gs(m):
    scope = {"torch": torch, "WeightMethod": object}
    text = open(f"{samgs_dir}/methods/weight_methods.py").read()
    begin = text.index("class  SAMGS")
    text = text[begin:text.index("@staticmethod", begin)].replace("super().__init__(n_tasks, device=device)", "pass")
    exec(text, scope)
    method = scope["SAMGS"](m, "cpu", gamma=0.7)
    return lambda g, losses, after: method.balance_magnitude(g.T.contiguous())[0]


def weighter(make):
    def build(m):
        method = make()
        return lambda g, losses, after: method.get_weights(losses=losses, grads=g) @ g

    return build


for m, samples in sets.items():
    for k, (g, losses, after) in enumerate(samples):
        print("set", f"{m}.{k}", m, D)
        for line in g:
            row(line)
        row(losses)
        row(after)

each("aligned-mtl", "-", "torchjd", aggregator(lambda m: jd.AlignedMTL()), factor=lambda m: m)
each("aligned-mtl", "scale=mean", "torchjd", aggregator(lambda m: jd.AlignedMTL(scale_mode="rmse")), factor=lambda m: m)
each("aligned-mtl", "scale=median", "torchjd", aggregator(lambda m: jd.AlignedMTL(scale_mode="median")), factor=lambda m: m)
each("cagrad", "rescaling=none", "torchjd", aggregator(lambda m: jd.CAGrad(c=0.5, norm_eps=1e-12)))
each("config", "-", "torchjd", aggregator(lambda m: jd.ConFIG()))
each("dcgd", "rule=projection", "torchjd",
     aggregator(lambda m: jd.DualProj(projector=QuadprogProjector(norm_eps=0, reg_eps=0))), factor=lambda m: m)
each("fairgrad", "alpha=2", "torchjd", aggregator(lambda m: jd.FairGrad(alpha=2.0)))
each("gradvac", "order=given", "torchjd", aggregator(lambda m: jd.GradVac()), steps=STEPS)
each("imtl-g", "-", "torchjd", aggregator(lambda m: jd.IMTLG()))
each("mgda", "-", "torchjd", aggregator(lambda m: jd.MGDA(epsilon=1e-15, max_iters=100000)))
each("nash-mtl", "max_norm=1", "torchjd", aggregator(Nash))
each("pcgrad", "order=given", "torchjd", aggregator(lambda m: jd.PCGrad()))
each("upgrad", "-", "torchjd", aggregator(lambda m: jd.UPGrad(projector=QuadprogProjector(norm_eps=0, reg_eps=0))))
each("ls", "-", "torchjd", aggregator(lambda m: jd.Sum()))
each("uw", "start=0", "torchjd", scalarizer(lambda m: js.UW(m)))
each("famo", "-", "torchjd", scalarizer(lambda m: js.FAMO(m), lambda method, after: method.update(after)), steps=STEPS)
each("dwa", "epoch=1", "torchjd", scalarizer(lambda m: js.DWA(), lambda method, after: method.step()), steps=STEPS)

config = lambda **kwargs: (lambda m: (lambda op: lambda g, l, a: op.calculate_gradient(g))(ConFIGOperator(**kwargs)))
each("config", "-", "conflictfree", config())
each("config", "-", "conflictfree-pinv", config(use_least_square=False, allow_simplified_model=False))
for length, model in (("min", TrackMinimum), ("max", TrackMaximum), ("harmonic", TrackHarmonicAverage),
                      ("arithmetic", TrackArithmeticAverage), ("geometric", TrackGeometricAverage)):
    each("config", f"length={length}", "conflictfree", config(length_model=model()))
each("pcgrad", "order=given", "conflictfree", aggregator(lambda m: PCGradOperator().calculate_gradient))
each("imtl-g", "-", "conflictfree", aggregator(lambda m: IMTLGOperator().calculate_gradient))
each("m-config", "-", "conflictfree", m_config, steps=9)

each("cagrad", "-", "libmtl", libmtl("CAGrad", calpha=0.5, rescale=1))
each("db-mtl", "sigma=0.5", "libmtl", libmtl("DB_MTL", DB_beta=0.9, DB_beta_sigma=0.5), steps=STEPS)
each("famo", "-", "libmtl", libmtl("FAMO", FAMO_w_lr=0.025, FAMO_w_gamma=1e-3), steps=STEPS)
each("gradvac", "order=given", "libmtl", libmtl("GradVac", GradVac_beta=0.5, GradVac_group_type=0), steps=STEPS)
# LibMTL stops MGDA early for m > 2 (5 % from the least norm in one of these sets): only its closed form is compared.
each("mgda", "-", "libmtl", libmtl("MGDA", mgda_gn="none"), most=2)
each("mgda", "scaling=norm", "libmtl", libmtl("MGDA", mgda_gn="l2"), most=2)
each("uw", "-", "libmtl", libmtl("UW"))
each("fairgrad", "alpha=2", "libmtl", libmtl("FairGrad", FairGrad_alpha=2.0))
each("stch", "warm_up=1", "libmtl", libmtl("STCH", STCH_mu=0.5, STCH_warmup_epoch=0), steps=STEPS)

weighters = load(f"{config_dir}/experiments/PINN/lib_pinns/loss_weighter.py", "loss_weighter")
each("lra", "-", "config-experiments", weighter(weighters.LRAWeighter), steps=STEPS)
each("relobralo", "rho=1", "config-experiments", weighter(lambda: weighters.ReLoWeighter(rou=1.0)), steps=STEPS)
each("relobralo", "rho=0", "config-experiments", weighter(lambda: weighters.ReLoWeighter(rou=0.0)), steps=STEPS)
each("sam-gs", "gamma=0.7", "samgs", sam_gs, steps=STEPS)
