import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import type { Params, Weights } from "../../core/contracts.ts";
import { flatLayout, flatten, views } from "../../core/flat.ts";
import { under } from "../../core/params.ts";
import { createRandom } from "../../core/random.ts";
import { registerMissingGradients } from "../../engine/gradients.ts";
import { simplify } from "../../engine/passes/mod.ts";
import { tileBatches } from "../../engine/passes/tile_batches.ts";
import { countKernels, type Program } from "../../engine/program.ts";
import { trace } from "../../engine/tracing.ts";
import { noiseShapes } from "../../networks/config.ts";
import { discriminator, initDiscriminator } from "../../networks/discriminator.ts";
import { createTeacher, studentConfig } from "../../networks/generator.ts";
import { initMobileSynthesis, mobileSynthesis } from "../../networks/mobile_synthesis.ts";
import { synthesis } from "../../networks/synthesis.ts";
import { createRegistry } from "../../registry.ts";
import { interpret } from "./interpret.ts";

registerMissingGradients();

const channels = [8, 4, 4];
const network = { sizePx: 16, styleDim: 8, mappingLayers: 1, channels };
const registry = createRegistry();
type T4 = tf.Tensor4D;

/** The gradients of a loss by flat weights and by some of the inputs. */
function gradients(
  shapes: readonly (readonly number[])[],
  weights: Weights,
  loss: (params: Params, inputs: readonly tf.Tensor[]) => tf.Scalar,
  count = 1,
): Program {
  const layout = flatLayout(weights);
  const vector = flatten(weights, layout);
  const traced = trace("gradients", [vector.shape, ...shapes], ([flat, ...inputs]) => {
    const fixed = inputs.slice(count);
    const of = (flat: tf.Tensor, ...given: tf.Tensor[]) =>
      loss(views(flat, layout), [...given, ...fixed]);
    return tf.grads(of as never)([flat!, ...inputs.slice(0, count)]);
  });
  return simplify(traced);
}

const sumOf = (x: tf.Tensor) => tf.sum(tf.sin(x)) as tf.Scalar;

function criticGradients(batch: number): Program {
  const config = { sizePx: 16, channels, stddevGroup: 2 };
  return gradients(
    [[batch, 16, 16, 3]],
    initDiscriminator(config, 1),
    (params, [x]) => sumOf(discriminator(params, x as T4, config)),
  );
}

/** R1: second derivatives. */
function lazyGradients(batch: number): Program {
  const config = { sizePx: 16, channels, stddevGroup: 2 };
  return gradients([[batch, 16, 16, 3]], initDiscriminator(config, 1), (params, [x]) => {
    const slope = tf.grad((x: tf.Tensor) => tf.sum(discriminator(params, x as T4, config)))(x!);
    return tf.sum(tf.square(slope)) as tf.Scalar;
  }, 0);
}

function teacherGradients(batch: number, maps: number): Program {
  const { weights } = createTeacher(network, { seed: 1 });
  const shapes = [[batch, network.styleDim], ...noiseShapes(16, maps)];
  return gradients(
    shapes,
    under(weights, "synthesis"),
    (params, [w, ...noise]) =>
      sumOf(synthesis(params as Params, { w: w!, noise: noise as T4[] }, network)),
  );
}

function studentGradients(batch: number): Program {
  const weights = initMobileSynthesis(studentConfig(network), 1, registry);
  const shapes = [[batch, network.styleDim], ...noiseShapes(8)];
  return gradients(shapes, weights, (params, [w, ...noise]) => {
    const config = studentConfig(network);
    const bands = mobileSynthesis(params, { w: w!, noise: noise as T4[] }, config, registry);
    return tf.addN(bands.map((band) => sumOf(band))) as tf.Scalar;
  });
}

function values(program: Program): number[][] {
  const inputs = program.inputs.map((id) => {
    const { shape, data } = createRandom(1, `input ${id}`).normal(program.values[id]!.shape, 0.5);
    return tf.tensor(data, [...shape]);
  });
  return interpret(program, inputs).map((made) => [...made.dataSync()]);
}

const BYTES = 2 ** 21; // from which a value is large
const cases: Record<string, [Program, numbers: number, tiles: number]> = {
  "a discriminator, tiles of 2": [criticGradients(8), 2000, 4],
  "a discriminator, tiles of 4": [criticGradients(8), 5000, 2],
  "a discriminator, all arrays but the smallest": [criticGradients(4), 100, 2],
  "a discriminator's slope": [lazyGradients(4), 1000, 2],
  "a teacher, one noise map": [teacherGradients(4, 1), 1000, 2],
  "a teacher, a noise map per image": [teacherGradients(4, 4), 200, 2],
  "a student": [studentGradients(4), 100, 2],
};
for (const [name, [program, numbers, tiles]] of Object.entries(cases)) {
  Deno.test(`tileBatches() changes no gradient of ${name}`, () => {
    const tiled = tileBatches(program, BYTES / numbers);
    const [before, after] = [program, tiled].map(countKernels);
    assert.ok(after!["Conv2DBackpropFilter"]! >= before!["Conv2DBackpropFilter"]! + tiles - 1);
    assert.ok(after!["SplitV"]! > (before!["SplitV"] ?? 0));
    const [expected, actual] = [program, tiled].map(values);
    expected!.forEach((numbers, i) => {
      const scale = Math.max(1e-3, ...numbers.map(Math.abs));
      const worst = Math.max(...numbers.map((value, k) => Math.abs(value - actual![i]![k]!)));
      assert.ok(worst <= 1e-5 * scale, `output ${i} differs by ${worst} of ${scale}`);
    });
  });
}

Deno.test("tileBatches() does not take filters for images", () => {
  const traced = trace("filters", [[4, 8, 8, 2], [6, 6, 2, 32]], ([x, filter]) => {
    const scaled = tf.mul(filter!, 0.5) as T4; // large as well, and six long
    return [tf.conv2d(x as T4, scaled, 1, "same")];
  });
  const { Multiply, Conv2D } = countKernels(tileBatches(simplify(traced), BYTES / 1000));
  assert.deepEqual([Multiply, Conv2D], [1, 2]);
});

Deno.test("tileBatches() leaves small arrays and single images alone", () => {
  const program = criticGradients(4);
  assert.equal(tileBatches(program, BYTES / 1e6), program);
  for (const batch of [1, 2, 3, 7]) { // tiles have two images at least
    const other = teacherGradients(batch, 1);
    assert.equal(tileBatches(other, BYTES), other);
  }
});
