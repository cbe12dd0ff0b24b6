"""Collapsed Taylor mode by hand, for torch and jax.numpy alike (Dangel et al., "Collapsing Taylor mode automatic
differentiation", NeurIPS 2025; for the Laplacian the forward Laplacian of Li et al., 2024): the derivatives along
each direction of orders below the highest, and one weighted sum over the directions of the highest ones, go through
the layers as extra rows of one matrix.
"""
from operators import DIRECTIONS


class Taylor:
    """Propagates lazily the channels that an operator asks for."""

    def __init__(self, xp, stack, layers, points, operator):
        self.xp, self.stack, self.layers, self.points = xp, stack, layers, points
        self.order = 1 if operator == "transport" else 2  # of the derivatives that are asked for one by one
        self.cache = {}

    def value(self):
        return self.mixed()[0]

    def unit(self, i):
        return tuple(1.0 if k == i else 0.0 for k in range(self.points.shape[1]))

    def d(self, *index):
        # Burgers and transport: first derivatives along t and x, the second one along x alone where asked for.
        return self.mixed()[{(0,): 1, (1,): 2, (1, 1): 3}[index]]

    def mixed(self):
        return self.propagate((self.unit(0), self.unit(1)), (0.0, 1.0), self.order)

    def laplacian(self, dims):
        return self.propagate(tuple(self.unit(i) for i in dims), (1.0,) * len(dims), 2)[-1]

    def wave(self):
        return self.propagate((self.unit(0), self.unit(1)), (1.0, -1.0), 2)[-1]

    def bilaplacian(self):
        return self.propagate(DIRECTIONS, (8 / 9,) * 3, 4)[-1]

    def propagate(self, directions, factors, order):
        key = (directions, factors, order)
        if key not in self.cache:
            self.cache[key] = self.through(directions, factors, order)
        return self.cache[key]

    def through(self, directions, factors, order):
        """Channels: value; for each order below `order`, each direction; the sum of factor * d^order."""
        w, b = self.layers[0]
        zero = 0.0 * (self.points @ w.T)
        lower = max(order - 1, 1)
        z = [self.points @ w.T + b]
        for k in range(1, lower + 1):
            z += [zero + sum(v * w[:, i] for i, v in enumerate(d)) if k == 1 else zero for d in directions]
        if order > 1:
            z.append(zero)
        h = self.activate(z, len(directions), factors, order)
        for w, b in self.layers[1:-1]:
            h = self.activate(self.dense(h, w, b), len(directions), factors, order)
        return self.dense(h, *self.layers[-1])

    def dense(self, h, w, b):
        z = self.stack(h) @ w.T
        return [z[0] + b] + [z[k] for k in range(1, len(h))]

    def activate(self, z, n, factors, order):
        t = self.xp.tanh(z[0])
        s1 = 1.0 - t * t
        h = [t]
        first = z[1:1 + n]
        h += [s1 * a for a in first]
        if order == 1:
            return h
        s2 = -2.0 * t * s1
        if order == 2:
            return h + [s1 * z[-1] + s2 * sum(f * a * a for f, a in zip(factors, first) if f != 0.0)]
        second, third = z[1 + n:1 + 2 * n], z[1 + 2 * n:1 + 3 * n]
        s3 = s1 * (6.0 * t * t - 2.0)
        s4 = s1 * t * (16.0 - 24.0 * t * t)
        h += [s2 * a * a + s1 * b for a, b in zip(first, second)]
        h += [s3 * a**3 + 3.0 * s2 * a * b + s1 * c for a, b, c in zip(first, second, third)]
        top = sum(f * (s4 * a**4 + 6.0 * s3 * a * a * b + s2 * (3.0 * b * b + 4.0 * a * c))
                  for f, a, b, c in zip(factors, first, second, third))
        return h + [s1 * z[-1] + top]
