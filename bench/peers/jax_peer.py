"""JAX under jit: `jinns` as jinns does it (_DynamicLoss.py, _operators.py: derivatives of a function of one point, vmap
over the points, the Laplacian as the trace of jax.hessian), `taylor` (taylor.py).
"""
import jax
import jax.numpy as jnp

from operators import OUTPUTS, residual, velocities
from taylor import Taylor

jax.config.update("jax_enable_x64", True)  # the type of the arrays decides


class Point:
    """Derivatives at one point; u: [d] -> [outputs]."""

    def __init__(self, u, x):
        self.u, self.x = u, x
        self.scalar = lambda x: u(x)[0]

    def value(self):
        return self.u(self.x)

    def unit(self, i):
        return jnp.zeros_like(self.x).at[i].set(1.0)

    def d(self, i, j=None):
        if j is None and len(self.value()) > 1:
            return jax.jvp(self.u, (self.x,), (self.unit(i),))[1]
        if j is None:
            return jax.grad(self.scalar)(self.x)[i:i + 1]
        return jax.grad(lambda x: jax.grad(self.scalar)(x)[i])(self.x)[j:j + 1]

    def laplacian(self, dims):
        return jnp.trace(jax.hessian(self.scalar)(self.x))[None]

    def wave(self):
        return self.d(0, 0) - self.d(1, 1)

    def bilaplacian(self):
        laplacian = lambda x: jnp.trace(jax.hessian(self.scalar)(x))
        return jnp.trace(jax.hessian(laplacian)(self.x))[None]


def network(layers, x):
    for w, b in layers[:-1]:
        x = jnp.tanh(w @ x + b)
    return layers[-1][0] @ x + layers[-1][1]


def make(variant, operator, layers, points):
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in layers]
    points = jnp.asarray(points)
    v = velocities(jnp).astype(points.dtype)

    def loss(layers, points):
        if variant == "taylor":
            u = Taylor(jnp, jnp.stack, layers, points, operator)
            return jnp.mean(residual(operator, u, jnp, v)**2)
        point = lambda x: residual(operator, Point(lambda y: network(layers, y), x), jnp, v)
        return jnp.mean(jax.vmap(point)(points)**2)

    both = jax.jit(jax.value_and_grad(loss))

    def step():
        value, gradient = jax.block_until_ready(both(layers, points))
        return value, [p for layer in gradient for p in layer]

    return step
