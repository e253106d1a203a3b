import type { HostArray, Weights } from "../../core/contracts.ts";
import { bytesAccess } from "../../io/random_access.ts";
import { readTorch } from "../../io/torch.ts";
import { torchTable } from "../../io/torch_table.ts";
import { readTensor } from "../../io/torch_tensor.ts";
import type { StudentConfig } from "../../networks/config.ts";
import { hwio, permuted, squeezed, transposed } from "../golden.ts";

const config: StudentConfig = {
  sizePx: 32,
  styleDim: 32,
  mappingLayers: 4,
  channels: [32, 32, 24],
  upscale: { name: "idwt" },
  conv: { name: "separable_modulated" },
  demodulation: { name: "frozen" },
  head: { name: "single" },
  auxiliary: true,
};

/**
 * The student of the golden checkpoint under the names of this project. Written apart from the
 * converter of `io/`, from the author's names alone, so that each checks the other.
 */
export function authorsStudent(): { readonly config: StudentConfig; readonly weights: Weights } {
  const url = new URL("../golden/mobilestylegan.ckpt", import.meta.url);
  const access = bytesAccess(Deno.readFileSync(url));
  const table = torchTable(readTorch(access).value, access);
  const read = (name: string): HostArray => readTensor(table.get(`state_dict.student.${name}`)!);

  const style = (from: string, to: string) => ({
    [`${to}.style.weight`]: transposed(read(`${from}.modulation.weight`)),
    [`${to}.style.bias`]: read(`${from}.modulation.bias`),
  });
  const layer = (from: string, to: string, part: string) => ({
    [`${to}.${part}.bias`]: squeezed(read(`${from}.bias`)),
    [`${to}.${part}.noise_strength`]: read(`${from}.noise.weight`),
    [`${to}.frozen.coefficients`]: squeezed(read(`${from}.conv.style_inv`)),
    ...style(`${from}.conv`, `${to}.${part}`),
  });
  const head = (from: string, to: string) => ({
    [`${to}.head.single.weight`]: hwio(read(`${from}.conv.weight`)),
    [`${to}.head.single.bias`]: squeezed(read(`${from}.bias`)),
    ...style(`${from}.conv`, `${to}.head.single`),
  });
  const separable = (from: string, to: string) => ({
    [`${to}.separable_modulated.depthwise`]: permuted(read(`${from}.conv.weight_dw`), [2, 3, 0, 1]),
    [`${to}.separable_modulated.pointwise`]: hwio(read(`${from}.conv.weight_permute`)),
    ...layer(from, to, "separable_modulated"),
  });
  const weights: Weights = {
    "4.const": permuted(read("input.input"), [0, 2, 3, 1]),
    "4.conv1.modulated.weight": hwio(read("conv1.conv.weight")),
    ...layer("conv1", "4.conv1", "modulated"),
    ...head("to_img1", "4"),
    ...[8, 16].reduce((blocks, size, i) => ({
      ...blocks,
      ...style(`layers.${i}.up`, `${size}.upscale.idwt`),
      ...separable(`layers.${i}.conv1`, `${size}.conv1`),
      ...separable(`layers.${i}.conv2`, `${size}.conv2`),
      ...head(`layers.${i}.to_img`, `${size}`),
    }), {}),
  };
  return { config, weights };
}
