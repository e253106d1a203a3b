import assert from "node:assert/strict";
import { join } from "node:path";
import { createMemoryCache, defaultCacheDir, openPixelCache } from "../../data/pixel_cache.ts";

const image = (value: number) => new Uint8Array(4 * 4 * 3).fill(value);
const RECORD_SIZE = 48 + 16;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const open = (folder: string) => openPixelCache({ folder, sizePx: 4, imagesPerFile: 10 });

Deno.test("openPixelCache() gives back what was stored, and nothing else", () =>
  withFolder(async (folder) => {
    const cache = await open(folder);
    await cache.write(new Map([[3, image(3)], [27, image(27)]]));
    const again = await open(folder);
    assert.deepEqual(await again.read([27, 0, 3, 27, 99]), [
      image(27),
      undefined,
      image(3),
      image(27),
      undefined,
    ]);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, ["000000.rgb", "000002.rgb"]);
  }));

Deno.test("openPixelCache() does not take a hole for a black image", () =>
  withFolder(async (folder) => {
    const cache = await open(folder);
    await cache.write(new Map([[5, image(5)]])); // 0 to 4 are now zeros on disk
    assert.deepEqual(await cache.read([0, 4]), [undefined, undefined]);
    await cache.write(new Map([[0, image(0)]]));
    assert.deepEqual(await cache.read([0]), [image(0)]);
  }));

Deno.test("openPixelCache() counts records that a kill or an accident damaged as absent", () =>
  withFolder(async (folder) => {
    const cache = await open(folder);
    await cache.write(new Map([[0, image(9)], [1, image(8)], [2, image(7)]]));
    const path = join(folder, "000000.rgb");
    await Deno.truncate(path, 2 * RECORD_SIZE + 20); // cut inside the third record
    using file = await Deno.open(path, { write: true });
    await file.seek(RECORD_SIZE + 7, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(1)); // one wrong byte in the second
    assert.deepEqual(await cache.read([0, 1, 2]), [image(9), undefined, undefined]);
    await cache.write(new Map([[1, image(8)], [2, image(7)]]));
    assert.deepEqual(await cache.read([0, 1, 2]), [image(9), image(8), image(7)]);
  }));

Deno.test("openPixelCache() can be filled by several writers at once", () =>
  withFolder(async (folder) => {
    const indices = Array.from({ length: 30 }, (_, i) => i);
    const images = new Map(indices.map((i) => [i, image(i)]));
    await Promise.all([1, 2, 3].map(async () => (await open(folder)).write(images)));
    assert.deepEqual(await (await open(folder)).read(indices), indices.map(image));
  }));

Deno.test("openPixelCache() says which folder cannot be made", () =>
  withFolder(async (parent) => {
    const path = join(parent, "file");
    await Deno.writeTextFile(path, "");
    const folder = join(path, "cache");
    await assert.rejects(open(folder), (error: Error) => {
      assert.ok(error.message.startsWith(`Cannot make the image cache "${folder}": expected a `));
      assert.ok(error.message.endsWith("; name another one as cacheDir, or null for none"));
      return true;
    });
  }));

Deno.test("createMemoryCache() keeps what was written", async () => {
  const cache = createMemoryCache();
  await cache.write(new Map([[1, image(1)]]));
  assert.deepEqual(await cache.read([0, 1]), [undefined, image(1)]);
});

Deno.test("defaultCacheDir() honours XDG_CACHE_HOME", () => {
  const before = Deno.env.get("XDG_CACHE_HOME");
  try {
    Deno.env.set("XDG_CACHE_HOME", join("some", "cache"));
    assert.equal(defaultCacheDir(), join("some", "cache", "haarlem"));
    Deno.env.delete("XDG_CACHE_HOME");
    assert.ok(defaultCacheDir().endsWith("haarlem"));
  } finally {
    if (before !== undefined) Deno.env.set("XDG_CACHE_HOME", before);
  }
});
