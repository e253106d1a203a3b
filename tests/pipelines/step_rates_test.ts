import assert from "node:assert/strict";
import { parseConfig } from "../../pipelines/distill_config.ts";
import { criticRates, studentRates } from "../../pipelines/step_rates.ts";
import { createRegistry } from "../../registry.ts";

const losses = [{ name: "pixel" }];
const configOf = (fields: object) =>
  parseConfig({ steps: 100, batch: 16, losses, ...fields }, createRegistry());
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-6 * Math.max(1, Math.abs(expected)), `${actual}`);
/** What Adam would multiply a normalised gradient with; beta1 of 0 leaves only the rate. */
const rateAt = (step: number, optimiser: object) => {
  const config = configOf({ optimiser: { learningRate: 2, beta1: 0, ...optimiser } });
  return studentRates(config, step).rates.rate.data[0]!;
};

Deno.test("studentRates() warms up in equal steps", () => {
  const optimiser = { warmupSteps: 3 };
  [0.5, 1, 1.5, 2, 2].forEach((rate, step) => near(rateAt(step, optimiser), rate));
});

Deno.test("studentRates() falls along half a cosine to the last step", () => {
  const optimiser = { decay: "cosine" };
  near(rateAt(0, optimiser), 2);
  near(rateAt(25, optimiser), 1 + Math.SQRT1_2);
  near(rateAt(50, optimiser), 1);
  near(rateAt(99, optimiser), 1 - Math.cos(Math.PI / 100));
  near(rateAt(99, {}), 2);
});

Deno.test("studentRates() halves what the average remembers after its half-life", () => {
  const decayAt = (step: number, averageKimg: number) =>
    studentRates(configOf({ averageKimg }), step).decay.data[0]!;
  near(decayAt(99_999, 2) ** (2000 / 16), 0.5);
  near(decayAt(0, 2), 0.5 ** 10); // a tenth of the 16 images that were seen
  near(decayAt(99, 2), 0.5 ** 0.1);
  assert.equal(decayAt(99, 0), 0);
});

Deno.test("studentRates() and criticRates() correct Adam's moments from the first update on", () => {
  const discriminator = { learningRate: 2, beta1: 0.5, beta2: 0.75 };
  const config = configOf({ discriminator, optimiser: discriminator });
  for (const { rate, powerCorrection } of [criticRates(config, 1), studentRates(config, 0).rates]) {
    near(rate.data[0]!, 4);
    near(powerCorrection.data[0]!, 4);
  }
  near(criticRates(config, 2).powerCorrection.data[0]!, 16 / 7);
});
