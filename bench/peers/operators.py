"""The residuals that are timed, written once for every Python peer.

A peer gives `u`, an object with the network's values and derivatives at all points:
    u.value()            [N, outputs]
    u.d(i), u.d(i, i)    first, and second pure, derivatives by coordinate i
    u.laplacian(dims), u.wave(), u.bilaplacian()
The same residuals stand in bench/engine_worker.cpp.
"""

COORDINATES = {"laplacian": 2, "burgers": 2, "wave": 2, "laplacian-3d": 3, "biharmonic": 2, "transport": 2}
OUTPUTS = {name: 32 if name == "transport" else 1 for name in COORDINATES}

# Lap^2 u = 8/9 (d_0^4 + d_60^4 + d_120^4) u, with derivatives along three directions 60 degrees apart: the
# average of cos^4 over them is 3/8 for every angle.
DIRECTIONS = ((1.0, 0.0), (0.5, 0.75**0.5), (-0.5, 0.75**0.5))


def velocities(xp):
    return (xp.arange(32) * 2.0 + 1.0) / 32.0 - 1.0


def residual(operator, u, xp, v):
    """[N, outputs]; v: velocities(xp) in the type of the network."""
    if operator == "laplacian":
        return u.laplacian((0, 1)) - 1.0
    if operator == "laplacian-3d":
        return u.laplacian((0, 1, 2)) - 1.0
    if operator == "burgers":
        return u.d(0) + u.value() * u.d(1) - 0.01 * u.d(1, 1)
    if operator == "wave":
        return u.wave()
    if operator == "biharmonic":
        return u.bilaplacian() - 1.0
    if operator == "transport":
        return u.d(0) + v * u.d(1) + u.value() - u.value().mean(-1)[..., None]
    raise ValueError(operator)
