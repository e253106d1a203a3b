import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import type { HostArray, Params } from "../../core/contracts.ts";
import { under } from "../../core/params.ts";
import { mapping, truncate } from "../../networks/mapping.ts";
import { synthesis, synthesisImages } from "../../networks/synthesis.ts";
import { assertClose, golden, nhwc } from "../golden.ts";
import { first, noiseMaps, parityTest, sharedNoiseMaps, teacherOf } from "./reference.ts";

interface Inputs {
  readonly params: Params;
  readonly w: tf.Tensor;
  readonly noise: tf.Tensor4D[];
}

const sources = [
  { prefix: "rosinality", files: ["rosinality.pt", "rosinality_legacy.pt"], fixed: "fixed_noise" },
  { prefix: "ada", files: ["ada.pkl", "ada_protocol3.pkl"], fixed: "const_noise" },
] as const;

for (const { prefix, files, fixed } of sources) {
  for (const file of files) {
    const { weights, config, noise } = await teacherOf(file);
    const params = under(weights, "synthesis");
    const image = ({ params, w, noise }: Inputs) => synthesis(params, { w, noise }, config);

    parityTest(`mapping of ${file}`, async (run) => {
      const map = ({ params, z }: { params: Params; z: tf.Tensor2D }) => mapping(params, z, config);
      for (const [z, w] of [["z", "w"], ["z2", "w2"]]) {
        const inputs = { params: under(weights, "mapping"), z: golden(`${prefix}/${z}`) };
        assertClose(await run(map, inputs), golden(`${prefix}/${w}`));
      }
    });

    parityTest(`images of ${file} with given noise`, async (run) => {
      const inputs = { params, w: golden(`${prefix}/w`), noise: noiseMaps(prefix) };
      assertClose(await run(image, inputs), nhwc(golden(`${prefix}/image`)));
    });

    parityTest(`images of ${file} with the noise of the file`, async (run) => {
      const inputs = { params, w: first(golden(`${prefix}/w`), 2), noise };
      assertClose(await run(image, inputs), nhwc(golden(`${prefix}/image_${fixed}`)));
    });
  }

  const { weights, config } = await teacherOf(files[0]);
  const params = under(weights, "synthesis");
  const image = ({ params, w, noise }: Inputs) => synthesis(params, { w, noise }, config);
  const two = noiseMaps(prefix, 2);

  parityTest(`truncation of ${prefix}`, async (run) => {
    const truncated = ({ mean, ...rest }: Inputs & { mean: tf.Tensor }) =>
      image({ ...rest, w: truncate(rest.w, mean, { psi: 0.7 }) });
    const mean = weights["mapping.w_mean"]!;
    const inputs = { params, w: first(golden(`${prefix}/w`), 2), noise: two, mean };
    assertClose(await run(truncated, inputs), nhwc(golden(`${prefix}/image_trunc0.7`)));
  });

  parityTest(`style mixing and W+ of ${prefix}`, async (run) => {
    for (const [w, result] of [["w_plus_mix", "image_mix"], ["w_plus_all", "image_w_plus_all"]]) {
      const inputs = { params, w: first(golden(`${prefix}/${w}`), 2), noise: two };
      assertClose(await run(image, inputs), nhwc(golden(`${prefix}/${result}`)));
    }
  });
}

parityTest("images of rosinality after every size", async (run) => {
  const { weights, config } = await teacherOf("rosinality.pt");
  const images = await run(
    ({ params, w, noise }: Inputs) => synthesisImages(params, { w, noise }, config),
    {
      params: under(weights, "synthesis"),
      w: first(golden("rosinality/w"), 1),
      noise: noiseMaps("rosinality", 1),
    },
  ) as readonly HostArray[];
  ["to_rgb1", "to_rgbs.0", "to_rgbs.1", "to_rgbs.2"].forEach((name, i) =>
    assertClose(images[i]!, nhwc(golden(`rosinality/act/${name}`)))
  );
});

parityTest("NVlabs' images without noise, and with truncation of some rows", async (run) => {
  const { weights, config } = await teacherOf("ada.pkl");
  const params = under(weights, "synthesis");
  const w = first(golden("ada/w"), 2);
  const silent = ({ params, w }: Omit<Inputs, "noise">) => synthesis(params, { w }, config);
  assertClose(await run(silent, { params, w }), nhwc(golden("ada/image_no_noise")));

  const cut = ({ mean, params, w, noise }: Inputs & { mean: tf.Tensor }) => {
    const rows = tf.stack(Array.from({ length: 8 }, () => w), 1);
    const moved = truncate(rows, mean, { psi: 0.7, cutoff: 4 });
    return synthesis(params, { w: moved, noise }, config);
  };
  const inputs = { params, w, noise: noiseMaps("ada", 2), mean: weights["mapping.w_mean"]! };
  assertClose(await run(cut, inputs), nhwc(golden("ada/image_trunc0.7_cutoff4")));
});

parityTest("NVlabs' images with features clamped so low that it shows", async (run) => {
  const { weights, config } = await teacherOf("ada.pkl");
  assert.equal(config.convClamp, 256);
  const clamped = { ...config, convClamp: 0.5 };
  const image = ({ params, w, noise }: Inputs) => synthesis(params, { w, noise }, clamped);
  const params = under(weights, "synthesis");
  const inputs = { params, w: first(golden("ada/w"), 2), noise: noiseMaps("ada", 2) };
  assertClose(await run(image, inputs), nhwc(golden("ada/clamp0.5/image")));
});

parityTest("the author's teacher", async (run) => {
  const { weights, config } = await teacherOf("mobilestylegan.ckpt");
  const image = ({ params, w, noise }: Inputs) => synthesis(params, { w, noise }, config);
  const inputs = {
    params: under(weights, "synthesis"),
    w: golden("mobilestylegan/w"),
    noise: sharedNoiseMaps(),
  };
  assertClose(await run(image, inputs), nhwc(golden("mobilestylegan/teacher_image")));
});

for (const [file, prefix, of] of [["rosinality.pt", "rosinality", "g"], ["ada.pkl", "ada", "G"]]) {
  parityTest(`the generator of ${file} that was trained, not its average`, async (run) => {
    const { weights, config } = await teacherOf(file!, { average: false });
    const map = ({ params, z }: { params: Params; z: tf.Tensor2D }) => mapping(params, z, config);
    const w = await run(map, { params: under(weights, "mapping"), z: golden(`${prefix}/z`) });
    assertClose(w, golden(`${prefix}/${of}/w`));
    const image = ({ params, w, noise }: Inputs) => synthesis(params, { w, noise }, config);
    const inputs = {
      params: under(weights, "synthesis"),
      w: first(w, 2),
      noise: noiseMaps(prefix!, 2),
    };
    assertClose(await run(image, inputs), nhwc(golden(`${prefix}/${of}/image`)));
  });
}
