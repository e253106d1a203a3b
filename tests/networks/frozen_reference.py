"""Makes frozen_reference.json: activations of Inception and VGG16 by PyTorch.

    pip install torch
    python tests/networks/frozen_reference.py > tests/networks/frozen_reference.json

The networks are written here from the papers, torchvision's names of the layers and what
pytorch-fid says of its changes. Nobody's weights are needed: each is a formula of the layer's
number and of its index in the file's own order, see weight().
"""

import json

import torch
import torch.nn.functional as F


def numbers(count, layer):
    """Float64 in [0, 1) that look random, from integers only."""
    i = torch.arange(count, dtype=torch.int64)
    h = (i * i + 97 * layer) % 65521
    return (h * h + 31 * i) % 65521 / 65521.0


layers = 0


def weight(*shape):
    """A kernel [out,in,h,w] that keeps the size of activations."""
    global layers
    layers += 1
    fan_in = shape[1] * shape[2] * shape[3]
    values = (numbers(torch.Size(shape).numel(), layers) - 0.5) * (24 / fan_in) ** 0.5
    return values.reshape(shape).float()


def vector(size, low, high):
    global layers
    layers += 1
    return (low + (high - low) * numbers(size, layers)).float()


def image(size):
    """Bytes of an image as [-1, 1]."""
    return (torch.floor(numbers(3 * size * size, 0) * 256) / 127.5 - 1).reshape(1, size, size, 3)


stages = {}


def record(name, x):
    """Some values of an activation [1,C,H,W], by their index in the order [H,W,C]."""
    flat = x[0].permute(1, 2, 0).reshape(-1)
    at = [(k * k * 7919 + 13) % len(flat) for k in range(16)]
    stages[name] = {
        "shape": [1, x.shape[2], x.shape[3], x.shape[1]],
        "mean": flat.double().mean().item(),
        "deviation": flat.double().std(unbiased=False).item(),
        "at": at,
        "values": [flat[i].item() for i in at],
    }
    return x


# --- Inception: Szegedy et al. 2016 ----------------------------------------------------------


def conv(x, out, size, stride=1, pad=0):
    """Convolution without bias, batch normalisation (epsilon 0.001), ReLU."""
    height, width = size
    x = F.conv2d(x, weight(out, x.shape[1], height, width), stride=stride, padding=pad)
    gain, shift = vector(out, 0.5, 1.5), vector(out, -0.1, 0.1)
    mean, variance = vector(out, -0.1, 0.1), vector(out, 0.5, 1.5)
    view = lambda v: v.reshape(1, -1, 1, 1)
    x = (x - view(mean)) / torch.sqrt(view(variance) + 0.001) * view(gain) + view(shift)
    return F.relu(x)


ONE, THREE, FIVE, WIDE, TALL = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1)
ACROSS, DOWN = dict(size=WIDE, pad=(0, 3)), dict(size=TALL, pad=(3, 0))
average = lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
maximum = lambda x: F.max_pool2d(x, 3, 2)


def block_a(x, pool):
    first = conv(x, 64, ONE)
    second = conv(conv(x, 48, ONE), 64, FIVE, pad=2)
    third = conv(conv(conv(x, 64, ONE), 96, THREE, pad=1), 96, THREE, pad=1)
    return torch.cat([first, second, third, conv(average(x), pool, ONE)], 1)


def block_b(x):
    first = conv(x, 384, THREE, stride=2)
    second = conv(conv(conv(x, 64, ONE), 96, THREE, pad=1), 96, THREE, stride=2)
    return torch.cat([first, second, maximum(x)], 1)


def block_c(x, inner):
    first = conv(x, 192, ONE)
    second = conv(conv(conv(x, inner, ONE), inner, **ACROSS), 192, **DOWN)
    third = conv(conv(conv(x, inner, ONE), inner, **DOWN), inner, **ACROSS)
    third = conv(conv(third, inner, **DOWN), 192, **ACROSS)
    return torch.cat([first, second, third, conv(average(x), 192, ONE)], 1)


def block_d(x):
    first = conv(conv(x, 192, ONE), 320, THREE, stride=2)
    second = conv(conv(conv(x, 192, ONE), 192, **ACROSS), 192, **DOWN)
    second = conv(second, 192, THREE, stride=2)
    return torch.cat([first, second, maximum(x)], 1)


def block_e(x, pool):
    fork = lambda y: [
        conv(y, 384, (1, 3), pad=(0, 1)),
        conv(y, 384, (3, 1), pad=(1, 0)),
    ]
    first = conv(x, 320, ONE)
    second = fork(conv(x, 384, ONE))
    third = fork(conv(conv(x, 448, ONE), 384, THREE, pad=1))
    return torch.cat([first, *second, *third, conv(pool(x), 192, ONE)], 1)


def inception(x):
    x = F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
    x = record("Conv2d_1a_3x3", conv(x, 32, THREE, stride=2))
    x = record("Conv2d_2a_3x3", conv(x, 32, THREE))
    x = record("Conv2d_2b_3x3", conv(x, 64, THREE, pad=1))
    x = record("Conv2d_3b_1x1", conv(maximum(x), 80, ONE))
    x = record("Conv2d_4a_3x3", conv(x, 192, THREE))
    x = maximum(x)
    for name, pool in ("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64):
        x = record(name, block_a(x, pool))
    x = record("Mixed_6a", block_b(x))
    for name, inner in ("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192):
        x = record(name, block_c(x, inner))
    x = record("Mixed_7a", block_d(x))
    x = record("Mixed_7b", block_e(x, average))
    x = record("Mixed_7c", block_e(x, lambda y: F.max_pool2d(y, 3, 1, 1)))
    record("features", x.mean((2, 3), keepdim=True))


# --- VGG16: Simonyan and Zisserman 2015 ------------------------------------------------------


def vgg16(x):
    x = F.interpolate(x, size=(96, 96), mode="bilinear", align_corners=False)
    for stage, (out, count) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3)], start=1):
        if stage > 1:
            x = F.max_pool2d(x, 2, 2)
        for _ in range(count):
            kernel = weight(out, x.shape[1], 3, 3)
            x = F.relu(F.conv2d(x, kernel, vector(out, -0.1, 0.1), padding=1))
        record(f"relu{stage}_{count}", x)


def made(network):
    global layers, stages
    layers, stages = 0, {}
    with torch.no_grad():
        network(image(64).float().permute(0, 3, 1, 2))
    return stages


print(json.dumps(
    {
        "made": f"tests/networks/frozen_reference.py, PyTorch {torch.__version__}",
        "inception": made(inception),
        "vgg16": made(vgg16),
    },
    indent=1,
))
