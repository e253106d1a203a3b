"""A peer of the benchmark: the same networks, weights and steps as a plain PyTorch program.

Commands and answers are JSON, one a line, as `bench/contestant.ts` describes; `load` names a folder
with index.json and data.bin.

Eager float32 in its best form: fused Adam, transposed convolutions for upsampling, FIR filters as
depthwise convolutions, the activation form of the modulation (per-image kernels with grouped
convolutions are slower on a CPU).
"""

import json
import math
from pathlib import Path
from typing import Callable

import numpy
import torch
import torch.nn.functional as F
from contestant import answer_commands, thread_words
from torch import Tensor

SQRT2 = math.sqrt(2)
HAAR = 0.5 * torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], dtype=torch.float32)
FIR = torch.outer(torch.tensor([1.0, 3.0, 3.0, 1.0]), torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


class Peer:
    def __init__(self, folder: Path, threads: int, channels_last: bool, compiled: bool) -> None:
        torch.set_num_threads(threads)
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        index = json.loads((folder / "index.json").read_text())
        data = numpy.fromfile(folder / "data.bin", dtype=numpy.float32)
        self.config = index["config"]
        self.arrays: dict[str, Tensor] = {}
        for entry in index["arrays"]:
            size = math.prod(entry["shape"])
            flat = torch.from_numpy(data[entry["offset"] : entry["offset"] + size].copy())
            self.arrays[entry["name"]] = flat.reshape(entry["shape"])
        self.filters: dict[tuple[int, str], Tensor] = {}
        self.teacher = self.parameters("teacher/")  # as it is distilled, and of which images are made
        self.g = self.parameters("teacher/")
        self.d = self.parameters("discriminator/")
        self.s = self.parameters("student/")
        trained = {  # networks that only make images have no discriminator
            "g": (list(self.g.values()), (0.0, 0.99)),
            "d": (list(self.d.values()), (0.0, 0.99)),
            "s": ([self.s[k] for k in self.s if not k.startswith("mapping.")], (0.9, 0.999)),
        }
        self.optimisers = {
            name: torch.optim.Adam(values, betas=betas, lr=2e-3, eps=1e-8, fused=True)
            for name, (values, betas) in trained.items()
            if values
        }
        self.average = [value.detach().clone() for value in self.g.values()]
        self.student_average = [value.detach().clone() for value in self.s.values()]
        self.steps = {
            "generator step": self.generator_step,
            "discriminator step": lambda: self.discriminator_step(False),
            "discriminator step with R1": lambda: self.discriminator_step(True),
            "distillation step": lambda: self.distillation_step(1),
            "distillation step in 4 parts": lambda: self.distillation_step(1, 4),
            "distillation step, teacher twice": lambda: self.distillation_step(2),
            "teacher image": self.teacher_image,
            "student image": self.student_image,
        }

        if compiled:  # second derivatives are not to be had: no R1
            self.synthesis = torch.compile(self.synthesis)
            self.student = torch.compile(self.student)
            self.discriminator = torch.compile(self.discriminator)

    def parameters(self, prefix: str) -> dict[str, Tensor]:
        """Weights by name in PyTorch's layouts: HWIO kernels become OIHW, matrices stay [in,out]."""
        made = {}
        for name, value in self.arrays.items():
            if not name.startswith(prefix):
                continue
            if value.ndim == 4:
                image = name.endswith(("const", "/x", "/noise"))
                depthwise = name.endswith("depthwise") or name.startswith("depthwise")
                value = value.permute((0, 3, 1, 2) if image else (2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
                value = value.contiguous(memory_format=self.format)
            made[name[len(prefix) :]] = value.clone().requires_grad_()
        return made

    def image(self, name: str) -> Tensor:
        return self.arrays[name].permute(0, 3, 1, 2).contiguous(memory_format=self.format)

    def filter(self, channels: int, kind: str, values: Tensor) -> Tensor:
        key = (channels, kind)
        if key not in self.filters:
            self.filters[key] = values.repeat(channels, 1, 1, 1).contiguous()
        return self.filters[key]

    # Layers

    def linear(self, p: dict[str, Tensor], name: str, x: Tensor, gain: float = 1.0, rate: float = 1.0) -> Tensor:
        weight = p[f"{name}.weight"]
        return torch.addmm(p[f"{name}.bias"], x, weight, beta=gain * rate, alpha=gain * rate / math.sqrt(weight.shape[0]))

    def blur(self, x: Tensor, pad: tuple[int, int, int, int], gain: float = 1.0, stride: int = 1) -> Tensor:
        c = x.shape[1]
        weight = self.filter(c, f"fir{gain}", (FIR * gain)[None, None])
        if pad[0] == pad[1]:
            return F.conv2d(x, weight, padding=pad[0], stride=stride, groups=c)
        return F.conv2d(F.pad(x, pad), weight, stride=stride, groups=c)

    def upsample(self, x: Tensor) -> Tensor:
        c = x.shape[1]
        return F.conv_transpose2d(x, self.filter(c, "fir4", (FIR * 4)[None, None]), stride=2, padding=1, groups=c)

    def modulated(self, p: dict[str, Tensor], name: str, x: Tensor, style: Tensor, noise: Tensor, up: bool) -> Tensor:
        weight = p[f"{name}.weight"]
        fan = weight.shape[1] * weight.shape[2] * weight.shape[3]
        s = self.linear(p, f"{name}.style", style, gain=1 / math.sqrt(fan))
        d = torch.rsqrt(s.square() @ weight.square().sum((2, 3)).t() + 1e-8) * SQRT2
        x = x * s[:, :, None, None]
        if up:
            y = self.blur(F.conv_transpose2d(x, weight.flip((2, 3)).transpose(0, 1), stride=2), (1, 1, 1, 1), gain=4)
        else:
            y = F.conv2d(x, weight, padding=1)
        shift = (noise * p[f"{name}.noise_strength"] + p[f"{name}.bias"][None, :, None, None]) * SQRT2
        return F.leaky_relu(y * d[:, :, None, None] + shift, 0.2)

    def mapping(self, p: dict[str, Tensor], z: Tensor) -> Tensor:
        x = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for i in range(self.config["mappingLayers"]):
            x = F.leaky_relu(self.linear(p, f"mapping.{i}", x, SQRT2, 0.01), 0.2)
        return x

    def synthesis(self, p: dict[str, Tensor], styles: list[Tensor], noise: list[Tensor]) -> Tensor:
        x, image = p["synthesis.4.const"], None
        size, layer = 4, 0
        while size <= self.config["sizePx"]:
            if size > 4:
                x = self.modulated(p, f"synthesis.{size}.conv0", x, styles[layer - 1], noise[layer - 1], True)
            x = self.modulated(p, f"synthesis.{size}.conv1", x, styles[layer], noise[layer], False)
            name = f"synthesis.{size}.rgb"
            weight = p[f"{name}.weight"]
            s = self.linear(p, f"{name}.style", styles[layer + 1], 1 / math.sqrt(weight.shape[1]))
            rgb = F.conv2d(x * s[:, :, None, None], weight, p[f"{name}.bias"])
            image = rgb if image is None else self.upsample(image) + rgb
            size, layer = 2 * size, layer + 2
        return image

    def conv(self, p: dict[str, Tensor], name: str, x: Tensor, gain: float, stride: int = 1) -> Tensor:
        weight = p[f"{name}.weight"]
        k = weight.shape[2]
        bias = p.get(f"{name}.bias")
        scaled = weight * (gain / math.sqrt(weight.shape[1] * k * k))
        y = F.conv2d(x, scaled, None if bias is None else bias * gain, stride=stride, padding=k // 2 if stride == 1 else 0)
        return y if bias is None else F.leaky_relu(y, 0.2)

    def discriminator(self, p: dict[str, Tensor], x: Tensor) -> Tensor:
        size = self.config["sizePx"]
        x = self.conv(p, f"{size}.rgb", x, SQRT2)
        while size > 4:
            skip = self.conv(p, f"{size}.skip", self.blur(x, (1, 1, 1, 1), stride=2), 1 / SQRT2)
            inner = self.blur(self.conv(p, f"{size}.conv0", x, SQRT2), (2, 2, 2, 2))
            x = self.conv(p, f"{size}.conv1", inner, 1.0, stride=2) + skip
            size //= 2
        n, c, h, w = x.shape
        group = min(n, self.config["stddevGroup"])
        y = x.reshape(group, -1, c, h, w)
        y = (y - y.mean(0)).square().mean(0).add(1e-8).sqrt().mean((1, 2, 3))
        x = torch.cat([x, y.repeat(group)[:, None, None, None].expand(n, 1, h, w)], 1)
        x = self.conv(p, "4.conv", x, SQRT2).permute(0, 2, 3, 1).flatten(1)
        return self.linear(p, "4.out", F.leaky_relu(self.linear(p, "4.fc", x, SQRT2), 0.2))

    # The layers of `bench/kernels.ts` by themselves, with gradients in all their inputs

    def layers(self) -> dict[str, Callable[[], Tensor]]:
        def prefixed(prefix: str, given: dict[str, Tensor]) -> dict[str, Tensor]:
            return {f"{prefix}.{name}": value for name, value in given.items()}

        def separable(x: Tensor, style: Tensor, noise: Tensor, coefficients: Tensor, **weights: Tensor) -> Tensor:
            p = prefixed("l.separable_modulated", weights) | {"l.trainable.coefficients": coefficients}
            return self.separable(p, "l", x, style, noise)

        def modulated(up: bool) -> Callable[..., Tensor]:
            return lambda x, style, noise, **weights: self.modulated(prefixed("l", weights), "l", x, style, noise, up)

        functions = {
            "convolution 3x3": lambda x, w: F.conv2d(x, w, padding=1),
            "convolution 1x1": lambda x, w: F.conv2d(x, w),
            "depthwise convolution 3x3": lambda x, w: F.conv2d(x, w, padding=1, groups=x.shape[1]),
            "Haar transform and back": lambda x: self.inverse_haar(self.haar(x).square()) + 1,
            "halving by [1,3,3,1]": lambda x: self.blur(x, (1, 1, 1, 1), stride=2),
            "layer: modulated convolution": modulated(False),
            "layer: modulated up-convolution": modulated(True),
            "layer: separable modulated convolution": separable,
        }
        made = {}
        for workload in dict.fromkeys(name.split("/")[0] for name in self.arrays):
            function = next(function for name, function in functions.items() if workload.startswith(f"{name}, "))
            given = self.parameters(f"{workload}/")
            made[workload] = lambda function=function, given=given: self.differentiated(function, given)
        return made

    def differentiated(self, function: Callable[..., Tensor], given: dict[str, Tensor]) -> Tensor:
        loss = function(**given).square().mean()
        torch.autograd.grad(loss, list(given.values()))
        return loss

    # The student, with the paper's parts

    def plain_style(self, p: dict[str, Tensor], name: str, style: Tensor, scale: float = 1.0) -> Tensor:
        s = torch.addmm(p[f"{name}.style.bias"], style, p[f"{name}.style.weight"])
        return (s if scale == 1 else s * scale)[:, :, None, None]

    def finish(self, p: dict[str, Tensor], name: str, y: Tensor, noise: Tensor) -> Tensor:
        return F.leaky_relu(y + (noise * p[f"{name}.noise_strength"] + p[f"{name}.bias"][None, :, None, None]), 0.2)

    def demodulated(self, p: dict[str, Tensor], where: str, energy: Tensor) -> Tensor:
        return torch.rsqrt(energy @ p[f"{where}.trainable.coefficients"].square() + 1e-8)

    def inverse_haar(self, x: Tensor) -> Tensor:
        n, c4, h, w = x.shape
        c = c4 // 4
        if c == 1:
            bands = x
        else:
            bands = torch.cat([x[:, :c].reshape(n, c, 1, h, w), x[:, c:].reshape(n, c, 3, h, w)], 2).reshape(n, c4, h, w)
        return F.conv_transpose2d(bands, self.filter(c, "haar", HAAR.reshape(4, 1, 2, 2)), stride=2, groups=c)

    def haar(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        bands = F.conv2d(x, self.filter(c, "haar", HAAR.reshape(4, 1, 2, 2)), stride=2, groups=c).reshape(n, c, 4, h // 2, w // 2)
        return torch.cat([bands[:, :, 0], bands[:, :, 1:].reshape(n, 3 * c, h // 2, w // 2)], 1)

    def student(self, p: dict[str, Tensor], w: Tensor, noise: list[Tensor], auxiliary: bool = True) -> list[Tensor]:
        name = "synthesis.4.conv1.modulated"
        x, bands, size, layer = p["synthesis.4.const"], [], 4, 1
        weight = p[f"{name}.weight"]
        scale = 1 / math.sqrt(9 * weight.shape[1])
        d = self.demodulated(p, "synthesis.4.conv1", weight.square().sum((2, 3)) * scale * scale)
        x = F.conv2d(x * self.plain_style(p, name, w, scale), weight * d[:, None, None, None], padding=1)
        x = self.finish(p, name, x, noise[0])
        while True:
            last = 2 * size == self.config["sizePx"]
            if auxiliary or last:
                name = f"synthesis.{size}.head.single"
                y = x * self.plain_style(p, name, w, 1 / math.sqrt(x.shape[1]))
                bands.append(F.conv2d(y, p[f"{name}.weight"], p[f"{name}.bias"]))
            if last:
                return bands
            size *= 2
            x = self.inverse_haar(x * self.plain_style(p, f"synthesis.{size}.upscale.idwt", w))
            for conv in ("conv1", "conv2"):
                x = self.separable(p, f"synthesis.{size}.{conv}", x, w, noise[layer])
                layer += 1

    def separable(self, p: dict[str, Tensor], where: str, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        name = f"{where}.separable_modulated"
        depthwise, pointwise = p[f"{name}.depthwise"], p[f"{name}.pointwise"]
        c = x.shape[1]
        scale = 1 / math.sqrt(9 * c)
        energy = pointwise[:, :, 0, 0].square() * (depthwise.square().sum((1, 2, 3)) * (scale * scale))
        d = self.demodulated(p, where, energy)
        y = F.conv2d(x * self.plain_style(p, name, style, scale), depthwise, padding=1, groups=c)
        return self.finish(p, name, F.conv2d(y, pointwise * d[:, None, None, None]), noise)

    # Steps

    def noise(self) -> list[Tensor]:
        return [self.image(f"noise/{i}") for i in range(2 * int(math.log2(self.config["sizePx"])) - 3)]

    def teach(self, z: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        noise = self.noise()
        w = self.mapping(self.teacher, z)
        return w, self.synthesis(self.teacher, [w] * (2 * int(math.log2(self.config["sizePx"])) - 2), noise), noise

    def generator_step(self) -> Tensor:
        z, mix, noise = self.arrays["mixing/z"], self.arrays["mixing/mix"], self.noise()
        first, second = self.mapping(self.g, z).chunk(2)
        w = first[:, None] + (second - first)[:, None] * mix
        fake = self.synthesis(self.g, list(w.unbind(1)), noise)
        loss = F.softplus(-self.discriminator(self.d, fake)).mean()
        self.optimisers["g"].zero_grad()
        loss.backward(inputs=list(self.g.values()))
        self.optimisers["g"].step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.g.values()), 0.01)
        return loss

    def discriminator_step(self, r1: bool) -> Tensor:
        fake, real = self.image("batch/fake"), self.image("batch/real")
        on_fake = self.discriminator(self.d, fake)
        if r1:
            real.requires_grad_()
        on_real = self.discriminator(self.d, real)
        loss = F.softplus(on_fake).mean() + F.softplus(-on_real).mean()
        total = loss
        if r1:
            (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            total = loss + slope.square().sum() * (16 * self.config["gamma"] / 2 / real.shape[0])
        self.optimisers["d"].zero_grad()
        total.backward()
        self.optimisers["d"].step()
        return total

    def distillation_step(self, teacher_runs: int, parts: int = 1) -> Tensor:
        optimiser = self.optimisers["s"]
        optimiser.zero_grad()
        losses = [self.distillation_gradients(z, teacher_runs, parts) for z in self.arrays["batch/z"].chunk(parts)]
        torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
        optimiser.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.student_average, list(self.s.values()), 0.01)
        return torch.stack(losses).sum()

    def distillation_gradients(self, z: Tensor, teacher_runs: int, parts: int) -> Tensor:
        with torch.no_grad():
            for _ in range(teacher_runs):
                w, image, noise = self.teach(z)
            images = [image]
            for _ in range(int(math.log2(self.config["sizePx"])) - 3):
                images.insert(0, F.avg_pool2d(images[0], 2))
            targets = [(image, self.haar(image)) for image in images]
        loss = torch.zeros(())
        for predicted, (image, bands) in zip(self.student(self.s, w, noise), targets):
            a, b = predicted - bands, self.inverse_haar(predicted) - image
            loss = loss + a.abs().mean() + a.square().mean() + b.abs().mean() + b.square().mean()
        (loss / parts).backward()
        return loss.detach() / parts

    def teacher_image(self) -> Tensor:
        with torch.inference_mode():
            return self.teach(self.arrays["images/z"])[1].mean()

    def student_image(self) -> Tensor:
        with torch.inference_mode():
            noise = self.noise()
            w = self.mapping(self.teacher, self.arrays["images/z"])
            return self.inverse_haar(self.student(self.s, w, noise, auxiliary=False)[-1]).mean()


def begin(load: dict) -> tuple[str, dict[str, Callable[[], float]]]:
    """The name of what is loaded, and its workloads; none without a folder."""
    form = ", channels last" if load["channelsLast"] else ""
    mode = "compiled" if load["compile"] else "eager"
    name = f"PyTorch {torch.__version__} {mode}, {thread_words(load['threads'])}{form}"
    if "folder" not in load:
        return name, {}
    peer = Peer(Path(load["folder"]), load["threads"], load["channelsLast"], load["compile"])
    steps = peer.steps if peer.config else peer.layers()
    return name, {workload: lambda step=step: step().item() for workload, step in steps.items()}


if __name__ == "__main__":
    answer_commands(begin)
