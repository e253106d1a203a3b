import assert from "node:assert/strict";
import { join } from "node:path";
import { openAvatars } from "../../data/avatars.ts";
import { avatarSvg, renderAvatar } from "../../data/draw_avatar.ts";

const SIZE = 32;
const source = await openAvatars({ sizePx: SIZE, cacheDir: null });
const pixel = (image: Uint8Array, x: number, y: number) => {
  const at = (y * SIZE + x) * 3;
  return [...image.subarray(at, at + 3)];
};

Deno.test("openAvatars() is endless, and an image depends on its index only", async () => {
  assert.equal(source.length, Infinity);
  const far = await source.read(10 ** 9);
  assert.equal(far.length, SIZE * SIZE * 3);
  assert.deepEqual(await source.read(10 ** 9), far);
  assert.notDeepEqual(await source.read(10 ** 9 + 1), far);
});

Deno.test("openAvatars() puts plain pastel behind the head and clothing at the bottom", async () => {
  for (let index = 0; index < 24; index++) {
    const image = await source.read(index);
    const background = pixel(image, 0, 0);
    assert.ok(Math.min(...background) >= 0xae, `avatar ${index} has the corner ${background}`);
    assert.deepEqual(pixel(image, SIZE - 1, 0), background);
    assert.notDeepEqual(pixel(image, SIZE / 2, SIZE - 1), background);
  }
});

Deno.test("openAvatars() varies: 64 neighbours have 64 drawings of many colors", () => {
  const drawings = Array.from({ length: 64 }, (_, index) => avatarSvg(index));
  assert.equal(new Set(drawings).size, 64);
  const colors = new Set(drawings.flatMap((svg) => svg.match(/"#[0-9a-f]{6}"/g)));
  assert.ok(colors.size > 25, `found ${colors.size} colors`);
});

Deno.test("avatarSvg() colors the hair of most heads", () => {
  // Bald heads keep a black outline; all others have their ink replaced.
  const head = /matrix\(\.99789 0 0 1 156 62\)(.*?)<g transform=/s;
  const black = Array.from({ length: 100 }, (_, i) => head.exec(avatarSvg(i))![1]!)
    .filter((drawing) => drawing.includes('"#000"')).length;
  assert.ok(black > 0 && black < 20, `${black} of 100 heads are black`);
});

Deno.test("openAvatars() reads what it has rendered, and renders what is missing", async () => {
  const cacheDir = await Deno.makeTempDir();
  try {
    const options = { sizePx: SIZE, cacheDir, cachedImages: 3 };
    const first = await (await openAvatars(options)).batch([1, 5, 2]);
    const path = join(cacheDir, `avatars-v1-${SIZE}px`, "000000.rgb");
    const record = SIZE * SIZE * 3 + 16;
    assert.equal((await Deno.stat(path)).size, 3 * record); // 5 is beyond cachedImages
    const again = await openAvatars(options);
    assert.deepEqual(await again.batch([1, 5, 2]), first);
    assert.deepEqual(await again.read(0), renderAvatar(0, SIZE));
    // A whole record is taken from the file: that of image 1, copied over that of image 2.
    const bytes = await Deno.readFile(path);
    bytes.copyWithin(2 * record, record, 2 * record);
    await Deno.writeFile(path, bytes);
    assert.deepEqual(await again.read(2), renderAvatar(1, SIZE));
  } finally {
    await Deno.remove(cacheDir, { recursive: true });
  }
});

Deno.test("openAvatars() refuses a size that is no size", async () => {
  await assert.rejects(openAvatars({ sizePx: 0.5, cacheDir: null }), {
    name: "RangeError",
    message: "Cannot open images: expected sizePx to be an integer from 4 to 4096 but received 0.5",
  });
});
