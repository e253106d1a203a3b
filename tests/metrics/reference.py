"""Makes reference.json: metrics of fixed arrays by NumPy and SciPy, in float64.

    pip install numpy scipy
    python tests/metrics/reference.py > tests/metrics/reference.json

The arrays come from formulas of integers, so that reference.ts makes the same ones. Each formula is
written here as its paper has it, without a look at the TypeScript.
"""

import json

import numpy
import scipy
from scipy.linalg import sqrtm


def features(rows, size, salt):
    """Float32 in [0, 1.5): a product of integers modulo a prime, tilted along the columns."""
    n, d = numpy.meshgrid(numpy.arange(rows), numpy.arange(size), indexing="ij")
    noise = ((n + 1) * (d + 3) * (n + 2 * d + salt)) % 997
    tilt = (d * salt) % 5
    return ((noise + 97 * tilt) / 997).astype(numpy.float32).astype(numpy.float64)


def frechet(x, y):
    """Heusel et al. 2017, equation 6, with the unbiased covariance."""
    c1, c2 = numpy.cov(x, rowvar=False), numpy.cov(y, rowvar=False)
    root = sqrtm(c1 @ c2)
    difference = x.mean(0) - y.mean(0)
    return difference @ difference + numpy.trace(c1 + c2 - 2 * root.real)


def kernel_distance(x, y):
    """Gretton et al. 2012, equation 3, with the kernel (x.y/D + 1)^3."""
    kernel = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    n, m = len(x), len(y)
    within = kernel(x, x).sum() - numpy.trace(kernel(x, x))
    other = kernel(y, y).sum() - numpy.trace(kernel(y, y))
    return within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * kernel(x, y).mean()


def precision_recall(x, y, k):
    """Kynkaanniemi et al. 2019, equations 1 and 2."""
    distances = lambda a, b: numpy.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))
    radius = lambda a: numpy.sort(distances(a, a), axis=1)[:, k]  # column 0 is the row itself
    inside = lambda a, b: (distances(a, b) <= radius(b)[None]).any(1).mean()
    return {"precision": inside(x, y), "recall": inside(y, x)}


def images(paths, side, position, salt):
    """Images [N,S,S,3] on a bent path: float32, as a generator gives them."""
    n, i = numpy.meshgrid(numpy.arange(paths), numpy.arange(side * side * 3), indexing="ij")
    start = ((n + 2) * (i + 5) * (n + i + salt)) % 499 / 499 - 0.5
    slope = ((n + 3) * (i + 7) * (2 * n + i + salt)) % 503 / 503 - 0.5
    bend = ((n + 1) * (i + 2) * (n + 3 * i + salt)) % 487 // (1 + i % 2) / 487
    pixels = start + slope * position + bend * position * (1 - position)
    return pixels.astype(numpy.float32).astype(numpy.float64).reshape(paths, side, side, 3)


def haar(x):
    """The four orthonormal Haar bands of [N,H,W,3]: LL, LH (high along the height), HL, HH."""
    a, b = x[:, 0::2, 0::2], x[:, 0::2, 1::2]
    c, d = x[:, 1::2, 0::2], x[:, 1::2, 1::2]
    signs = [(1, 1, 1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1)]
    return [(p * a + q * b + r * c + s * d) / 2 for p, q, r, s in signs]


def path_lengths(epsilon, trim):
    """Karras et al. 2019, section 4.1; the distance is the mean squared difference of pixels."""
    start, near, end = (images(40, 8, position, 11) for position in (0, epsilon, 1))
    lengths = ((near - start) ** 2).mean((1, 2, 3)) / epsilon**2
    low = numpy.percentile(lengths, 100 * trim, method="lower")
    high = numpy.percentile(lengths, 100 * (1 - trim), method="higher")
    result = {"ppl": lengths[(lengths >= low) & (lengths <= high)].mean()}
    names = ("ll", "lh", "hl", "hh")
    for name, step, fade in zip(names, haar(near - start), haar(end - start)):
        result[f"ppl_{name}"] = (step**2).mean() / epsilon**2
        result[f"roughness_{name}"] = (step**2).sum() / (fade**2).sum() / epsilon**2
    return result


def feature_distance(channels, side):
    """Zhang et al. 2018, equation 1, with all weights 1: of maps [N,H,W,C], 1e-10 in the norm."""
    unit = lambda x: x / numpy.sqrt((x**2).sum(-1, keepdims=True) + 1e-10)
    maps = lambda salt: features(2 * side * side, channels, salt).reshape(2, side, side, channels)
    squares = (unit(maps(7)) - unit(maps(3))) ** 2
    return squares.sum(-1).mean((1, 2)).tolist()


x, y = features(60, 12, 7), features(75, 12, 3)
few = features(9, 12, 7)  # fewer rows than columns: a singular covariance
print(json.dumps(
    {
        "made": f"tests/metrics/reference.py, NumPy {numpy.__version__}, SciPy {scipy.__version__}",
        "fid": frechet(x, y),
        "fid_singular": frechet(few, y),
        "kid": kernel_distance(x, y),
        "precision_recall": precision_recall(x, y, 3),
        "ppl": path_lengths(0.01, 0.05),
        "feature_distance": feature_distance(6, 3),
    },
    indent=2,
))
