import { GifCodec } from "gifwrap";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fromBytes } from "../../core/pixels.ts";
import { animatedGif } from "../../io/gif.ts";

/** Two pictures of 1 by 2 pixels: red and green, then blue and white. */
const pictures = {
  shape: [2, 1, 2, 3],
  data: fromBytes(Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255)),
};

Deno.test("animatedGif() plays every image for ever, its pixels as squares", async () => {
  const bytes = await animatedGif(pictures, { delayCentiseconds: 9, scale: 2 });
  const { frames, loops } = await new GifCodec().decodeGif(Buffer.from(bytes));
  assert.equal(loops, 0); // without end
  assert.deepEqual(frames.map(({ delayCentisecs }) => delayCentisecs), [9, 9]);
  const colours = frames.map(({ bitmap: { width, height, data } }) => {
    assert.deepEqual([width, height], [4, 2]);
    return Array.from(
      { length: width * height },
      (_, i) => Buffer.from(data.subarray(4 * i, 4 * i + 3)).toString("hex"),
    );
  });
  const [red, green, blue, white] = ["ff0000", "00ff00", "0000ff", "ffffff"];
  const row = (left: string, right: string) => [left, left, right, right];
  assert.deepEqual(colours, [
    [...row(red!, green!), ...row(red!, green!)],
    [...row(blue!, white!), ...row(blue!, white!)],
  ]);
});
