import assert from "node:assert/strict";
import { Jimp } from "jimp";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { HostArray } from "../../core/contracts.ts";
import { fromBytes, toBytes } from "../../core/pixels.ts";
import { decodeImage, imageGrid, readImage, writePicture } from "../../io/png.ts";

/** Flat images, one per value in [-1, 1]. */
function flat(values: readonly number[], height: number, width: number): HostArray {
  const data = values.flatMap((value) => new Array(height * width * 3).fill(value));
  return { shape: [values.length, height, width, 3], data: Float32Array.from(data) };
}
/** First channel as bytes, row by row. */
async function reds(png: Uint8Array): Promise<number[][]> {
  const { shape: [height, width], data } = await decodeImage(png);
  const bytes = toBytes(data);
  return Array.from(
    { length: height! },
    (_, y) => Array.from({ length: width! }, (_, x) => bytes[(y * width! + x) * 3]!),
  );
}

Deno.test("imageGrid() places images row by row with white gaps and empty cells", async () => {
  const png = await imageGrid(flat([-1, 0, -0.5], 1, 2), { columns: 2, gapPx: 1 });
  assert.deepEqual(await reds(png), [
    [0, 0, 255, 128, 128],
    [255, 255, 255, 255, 255],
    [64, 64, 255, 255, 255],
  ]);
});

Deno.test("imageGrid() repeats pixels for an integer scale", async () => {
  const images = { shape: [1, 1, 2, 3], data: fromBytes([10, 0, 0, 20, 0, 0]) };
  const png = await imageGrid(images, { scale: 2 });
  assert.deepEqual(await reds(png), [[10, 10, 20, 20], [10, 10, 20, 20]]);
});

Deno.test("imageGrid() keeps channels and clamps", async () => {
  const images = { shape: [1, 1, 1, 3], data: Float32Array.of(-9, 0, 9) };
  const { data } = await decodeImage(await imageGrid(images));
  assert.deepEqual([...toBytes(data)], [0, 128, 255]);
});

Deno.test("imageGrid() makes a square of many images by default", async () => {
  const { shape } = await decodeImage(await imageGrid(flat(new Array(9).fill(0), 4, 4)));
  assert.deepEqual(shape, [16, 16, 3]); // 3 x 4 px and two gaps of 2 px
});

Deno.test("imageGrid() prints one label to the left of each row", async () => {
  const images = flat([0, 0], 24, 24);
  const plain = await reds(await imageGrid(images, { columns: 1 }));
  const labelled = await reds(await imageGrid(images, { columns: 1, labels: ["", "WWW"] }));
  const margin = labelled[0]!.length - plain[0]!.length;
  assert.ok(margin > 30 && margin < 100, `margin of ${margin} px`);
  assert.deepEqual(labelled.map((row) => row.slice(margin)), plain);
  const darkest = (rows: number[][]) => Math.min(...rows.flatMap((row) => row.slice(0, margin)));
  assert.equal(darkest(labelled.slice(0, 26)), 255); // an empty label
  assert.ok(darkest(labelled.slice(26)) < 64);
});

Deno.test("imageGrid() keeps a label out of the images if the font lacks a character", async () => {
  const images = flat([0], 24, 24);
  const labelled = await reds(await imageGrid(images, { labels: ["a\u2212\u2212\u2212b"] }));
  assert.ok(labelled.every((row) => row.slice(-24).every((value) => value === 128)));
});

for (
  const [what, images, options, message] of [
    [
      "three axes",
      { shape: [4, 4, 3], data: new Float32Array(48) },
      {},
      "expected images of shape [N,H,W,3] but received [4,4,3]",
    ],
    ["no image", flat([], 4, 4), {}, "expected images of shape [N,H,W,3] but received [0,4,4,3]"],
    [
      "half a column",
      flat([0], 4, 4),
      { columns: 0.5 },
      "expected columns to be an integer from 1 on but received 0.5",
    ],
    [
      "a negative gap",
      flat([0], 4, 4),
      { gapPx: -1 },
      "expected gapPx to be an integer from 0 on but received -1",
    ],
    [
      "too few labels",
      flat([0, 0], 4, 4),
      { columns: 1, labels: ["x"] },
      "expected one label for each of 2 rows but received 1",
    ],
  ] as const
) {
  Deno.test(`imageGrid() refuses ${what}`, async () => {
    await assert.rejects(imageGrid(images, options), {
      name: "RangeError",
      message: `Cannot draw an image grid: ${message}`,
    });
  });
}

Deno.test("writePicture() makes the folder, replaces the file and leaves nothing else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "samples", "grid.png");
    await writePicture(path, Uint8Array.of(1));
    await writePicture(new URL(pathToFileURL(path).href), await imageGrid(flat([0.5], 4, 4)));
    const { shape, data } = await readImage(path);
    assert.deepEqual(shape, [4, 4, 3]);
    assert.ok(data.every((value) => Math.abs(value - 0.5) <= 1 / 255));
    assert.deepEqual([...Deno.readDirSync(join(folder, "samples"))].length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("writePicture() leaves no part behind when it fails", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "taken"));
    await assert.rejects(writePicture(join(folder, "taken"), Uint8Array.of(1)));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["taken"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("decodeImage() lays transparency on white", async () => {
  const data = Buffer.from([100, 0, 0, 0, 100, 0, 0, 51, 100, 0, 0, 255]);
  const png = await Jimp.fromBitmap({ data, width: 3, height: 1 }).getBuffer("image/png");
  const image = await decodeImage(png);
  assert.deepEqual([...toBytes(image.data)], [255, 255, 255, 224, 204, 204, 100, 0, 0]);
});

Deno.test("decodeImage() reads JPEG", async () => {
  const data = Buffer.alloc(16 * 16 * 4, 200);
  const jpeg = await Jimp.fromBitmap({ data, width: 16, height: 16 }).getBuffer("image/jpeg");
  const image = await decodeImage(jpeg);
  assert.deepEqual(image.shape, [16, 16, 3]);
  assert.ok(toBytes(image.data).every((value) => Math.abs(value - 200) <= 2));
});

Deno.test("decodeImage() names what it cannot read", async () => {
  await assert.rejects(decodeImage(new TextEncoder().encode("not a picture"), "cat.png"), {
    name: "SyntaxError",
    message: 'Cannot read the image "cat.png": expected PNG or JPEG but received ' +
      '"Could not find MIME for Buffer"',
  });
});
