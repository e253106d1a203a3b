import * as tf from "@tensorflow/tfjs";
import type { HostArray, Params } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { inverseHaar } from "../../layers/haar.ts";
import { mapping, truncate } from "../../networks/mapping.ts";
import { mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { createRegistry } from "../../registry.ts";
import { assertClose, golden, nhwc } from "../golden.ts";
import { first, parityTest, sharedNoiseMaps, student } from "./reference.ts";

interface Inputs {
  readonly params: Params;
  readonly w: tf.Tensor;
  readonly noise: tf.Tensor4D[];
}

const registry = createRegistry();
const { weights, config } = await student();
const params = under(weights, "synthesis");
const noise = sharedNoiseMaps();
const bands = ({ params, w, noise }: Inputs) =>
  mobileSynthesis(params, { w, noise }, config, registry);
const image = (inputs: Inputs) => inverseHaar(bands(inputs).at(-1)!);

parityTest("mapping of the author's student", async (run) => {
  const map = ({ params, z }: { params: Params; z: tf.Tensor2D }) => mapping(params, z, config);
  for (const [z, w] of [["z", "w"], ["z2", "w2"]]) {
    const inputs = { params: under(weights, "mapping"), z: golden(`mobilestylegan/${z}`) };
    assertClose(await run(map, inputs), golden(`mobilestylegan/${w}`));
  }
});

parityTest("every head of the student, and its image", async (run) => {
  const inputs = { params, w: golden("mobilestylegan/w"), noise };
  const heads = await run(bands, inputs) as readonly HostArray[];
  heads.forEach((head, i) => assertClose(head, nhwc(golden(`mobilestylegan/head_${i}`))));
  assertClose(await run(image, inputs), nhwc(golden("mobilestylegan/image")));
});

parityTest("style mixing and W+ of the student", async (run) => {
  const mixed = { params, w: first(golden("mobilestylegan/w_plus_mix"), 2), noise };
  const heads = await run(bands, mixed) as readonly HostArray[];
  heads.forEach((head, i) => assertClose(head, nhwc(golden(`mobilestylegan/mix/head_${i}`))));
  assertClose(await run(image, mixed), nhwc(golden("mobilestylegan/image_mix")));
  const every = { params, w: golden("mobilestylegan/w_plus_all"), noise };
  assertClose(await run(image, every), nhwc(golden("mobilestylegan/image_w_plus_all")));
});

parityTest("truncation of the student, of w and of W+", async (run) => {
  const mean = weights["mapping.w_mean"]!;
  const w = first(golden("mobilestylegan/w"), 2);
  const truncated =
    (psi: number, rows: number) => ({ mean, w, ...rest }: Inputs & { mean: tf.Tensor }) => {
      const tiled = rows > 0 ? tf.stack(Array.from({ length: rows }, () => w), 1) : w;
      return image({ ...rest, w: truncate(tiled, mean, { psi }) });
    };
  const inputs = { params, w, noise, mean };
  assertClose(await run(truncated(0.7, 0), inputs), nhwc(golden("mobilestylegan/image_trunc0.7")));
  assertClose(
    await run(truncated(0.5, 8), inputs),
    nhwc(golden("mobilestylegan/image_trunc0.5_w_plus")),
  );
});
