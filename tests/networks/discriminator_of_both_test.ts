import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs";
import { discriminator, initDiscriminator } from "../../networks/discriminator.ts";
import { discriminatorOfBoth } from "../../networks/discriminator_of_both.ts";
import { assertNear, jittered, normal } from "../tensors.ts";

const config = { sizePx: 16, channels: [8, 6, 4], stddevGroup: 4 };
const params = jittered(initDiscriminator(config, 1));
const images = (name: string, count: number) => normal(name, [count, 16, 16, 3]);

for (const [count, words] of [[8, "two groups"], [4, "one group"], [2, "less than a group"]]) {
  Deno.test(`discriminatorOfBoth() keeps batches apart, ${words} each`, () => {
    const [a, b] = [images("a", count as number), images("b", count as number)];
    const logits = discriminatorOfBoth(params, [a, b], config);
    assertNear(logits[0], discriminator(params, a, config));
    assertNear(logits[1], discriminator(params, b, config));
  });
}

Deno.test("discriminatorOfBoth() has the gradient of two passes", () => {
  const [a, b] = [images("a", 8), images("b", 8)];
  const name = "16.conv1.weight";
  const slope = (both: typeof discriminatorOfBoth) =>
    tf.grad((weight) => {
      const [onA, onB] = both({ ...params, [name]: weight }, [a, b], config);
      return tf.add(tf.sum(tf.softplus(onA)), tf.sum(tf.softplus(tf.neg(onB))));
    })(params[name]!);
  const apart = slope((params, [a, b]) => [
    discriminator(params, a, config),
    discriminator(params, b, config),
  ]);
  assertNear(slope(discriminatorOfBoth), apart);
});

Deno.test("discriminatorOfBoth() takes batches of two sizes one by one", () => {
  const [a, b] = [images("a", 4), images("b", 8)];
  const logits = discriminatorOfBoth(params, [a, b], config);
  assert.deepEqual(logits.map(({ shape }) => shape), [[4, 1], [8, 1]]);
  assertNear(logits[1], discriminator(params, b, config));
});

Deno.test("discriminatorOfBoth() refuses what the discriminator refuses", () => {
  const six = images("a", 6);
  assert.throws(() => discriminatorOfBoth(params, [six, six], config), {
    name: "RangeError",
    message:
      "Cannot apply minibatchStddev(): expected a batch that is a multiple of 4 but received 6",
  });
});
