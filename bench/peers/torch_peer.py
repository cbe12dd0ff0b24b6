"""PyTorch three ways: `nested` reverse mode as DeepXDE does it (gradients/gradients_reverse.py), `forward`
(torch.func.jvp within jvp, DeepXDE's forward mode), `taylor` and `compiled` (taylor.py, the latter through
torch.compile).
"""
import torch

from operators import DIRECTIONS, residual, velocities
from taylor import Taylor

torch.set_num_threads(int(__import__("os").environ.get("OMP_NUM_THREADS", "2")))


def network(layers, x):
    for w, b in layers[:-1]:
        x = torch.tanh(torch.nn.functional.linear(x, w, b))
    return torch.nn.functional.linear(x, *layers[-1])


class Nested:
    def __init__(self, layers, points):
        self.x = points.detach().clone().requires_grad_(True)
        self.u = network(layers, self.x)
        self.first = {}

    def gradient(self, y):
        return torch.autograd.grad(y, self.x, torch.ones_like(y), create_graph=True)[0]

    def value(self):
        return self.u

    def rows(self):
        """The Jacobian, one output (a row) at a time, each computed once."""
        if not self.first:
            self.first = {k: self.gradient(self.u[:, k:k + 1]) for k in range(self.u.shape[1])}
        return self.first

    def d(self, i, j=None):
        if j is None:
            return torch.cat([row[:, i:i + 1] for row in self.rows().values()], 1)
        return self.gradient(self.rows()[0][:, i:i + 1])[:, j:j + 1]

    def laplacian(self, dims):
        return sum(self.d(i, i) for i in dims)

    def wave(self):
        return self.d(0, 0) - self.d(1, 1)

    def bilaplacian(self):
        first = self.gradient(self.laplacian((0, 1)))
        return sum(self.gradient(first[:, i:i + 1])[:, i:i + 1] for i in (0, 1))


class Forward:
    def __init__(self, layers, points):
        self.f, self.points = (lambda x: network(layers, x)), points

    def along(self, direction, order):
        v = torch.tensor(direction, dtype=self.points.dtype).expand_as(self.points)
        f = self.f
        for _ in range(order):
            f = (lambda g: lambda x: torch.func.jvp(g, (x,), (v,))[1])(f)
        return f(self.points)

    def unit(self, i):
        return [1.0 if k == i else 0.0 for k in range(self.points.shape[1])]

    def value(self):
        return self.f(self.points)

    def d(self, *index):
        return self.along(self.unit(index[0]), len(index))

    def laplacian(self, dims):
        return sum(self.d(i, i) for i in dims)

    def wave(self):
        return self.d(0, 0) - self.d(1, 1)

    def bilaplacian(self):
        return 8 / 9 * sum(self.along(direction, 4) for direction in DIRECTIONS)


def make(variant, operator, layers, points):
    layers = [tuple(torch.from_numpy(p.copy()).requires_grad_(True) for p in layer) for layer in layers]
    weights = [p for layer in layers for p in layer]
    points = torch.from_numpy(points)
    v = velocities(torch).to(points.dtype)

    def derivatives():
        if variant == "nested":
            return Nested(layers, points)
        if variant == "forward":
            return Forward(layers, points)
        return Taylor(torch, torch.stack, layers, points, operator)

    def loss():
        return residual(operator, derivatives(), torch, v).square().mean()

    loss_function = torch.compile(loss, dynamic=False) if variant == "compiled" else loss

    def step():
        value = loss_function()
        return value.detach(), torch.autograd.grad(value, weights, materialize_grads=True)  # the last bias has none

    return step
