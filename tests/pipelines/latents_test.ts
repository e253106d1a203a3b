import assert from "node:assert/strict";
import { drawLatents, drawNoise, type Latents } from "../../pipelines/latents.ts";

const options = { seed: 3, batch: 4, styleDim: 5, layers: 6, styleMixing: 0 };
const row = ({ z }: Latents, i: number) => [...z.data.slice(i * 5, (i + 1) * 5)];

Deno.test("drawLatents() gives every image of a run a latent of its own, however it is split", () => {
  const first = drawLatents(options, 0);
  const second = drawLatents(options, 4);
  assert.deepEqual(first.z.shape, [4, 5]);
  assert.deepEqual(first.mix, []);
  const all = [first, second].flatMap((latents) => [0, 1, 2, 3].map((i) => row(latents, i)));
  assert.equal(new Set(all.map(String)).size, 8);
  const whole = drawLatents({ ...options, batch: 8 }, 0);
  assert.deepEqual(all, [0, 1, 2, 3, 4, 5, 6, 7].map((i) => row(whole, i)));
  assert.notDeepEqual(row(drawLatents({ ...options, seed: 4 }, 0), 0), row(first, 0));
});

Deno.test("drawLatents() mixes from a layer above the first, with the probability that is asked for", () => {
  const batch = 4000;
  const { z, mix: [mix] } = drawLatents({ ...options, batch, styleMixing: 0.75 }, 0);
  assert.deepEqual([z.shape, mix!.shape], [[2 * batch, 5], [batch, 6, 1]]);
  const cuts = new Map<number, number>(); // first mixed layer -> images; 6: none
  for (let image = 0; image < batch; image++) {
    const layers = [...mix!.data.slice(image * 6, (image + 1) * 6)];
    const cut = layers.indexOf(1) < 0 ? 6 : layers.indexOf(1);
    assert.deepEqual(layers, layers.map((_, layer) => layer >= cut ? 1 : 0));
    cuts.set(cut, (cuts.get(cut) ?? 0) + 1);
    const partner = z.data.slice((batch + image) * 5, (batch + image + 1) * 5);
    assert.equal(partner.some((value) => value !== 0), cut < 6);
  }
  assert.deepEqual([...cuts.keys()].sort(), [1, 2, 3, 4, 5, 6]);
  assert.ok(Math.abs(cuts.get(6)! / batch - 0.25) < 0.03, `${cuts.get(6)}`);
  for (const cut of [1, 2, 3, 4, 5]) assert.ok(Math.abs(cuts.get(cut)! / batch - 0.15) < 0.03);
});

Deno.test("drawNoise() gives every batch maps of its own, one for all its images", () => {
  const [first, second] = [drawNoise(1, 0, 8), drawNoise(1, 4, 8)];
  assert.deepEqual(first.map(({ shape }) => shape), [[1, 4, 4, 1], [1, 8, 8, 1], [1, 8, 8, 1]]);
  first.forEach((map, i) => assert.notDeepEqual(map.data, second[i]!.data));
  assert.notDeepEqual(first[1]!.data, first[2]!.data);
  assert.deepEqual(drawNoise(1, 4, 8), second);
});
