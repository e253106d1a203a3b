import assert from "node:assert/strict";
import { join } from "node:path";
import { openArrayCache } from "../../io/array_cache.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cache-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const arrays = {
  exact: Float64Array.of(1 / 3, -1e300, 0),
  single: Float32Array.of(1 / 3, NaN),
  none: new Float64Array(),
};

Deno.test("openArrayCache() gives back what was written, bit by bit", () =>
  inFolder(async (folder) => {
    const cache = openArrayCache(join(folder, "new"));
    assert.equal(await cache.read("a"), undefined);
    await cache.write("a", arrays);
    await cache.write("b", {});
    assert.deepEqual(await cache.read("a"), arrays);
    assert.deepEqual(await openArrayCache(join(folder, "new")).read("b"), {});
  }));

Deno.test("openArrayCache() takes damaged and foreign entries for absent", () =>
  inFolder(async (folder) => {
    const cache = openArrayCache(folder);
    await cache.write("a", arrays);
    const [entry] = [...Deno.readDirSync(folder)];
    const path = join(folder, entry!.name);
    const whole = await Deno.readFile(path);
    for (const length of [0, 4, 20, whole.length - 1]) {
      await Deno.writeFile(path, whole.subarray(0, length));
      assert.equal(await cache.read("a"), undefined, `${length} bytes`);
    }
    const flipped = whole.slice();
    flipped[whole.length - 5]! ^= 1;
    await Deno.writeFile(path, flipped);
    assert.equal(await cache.read("a"), undefined);
    await Deno.writeFile(path, whole);
    assert.deepEqual(await cache.read("a"), arrays);
  }));

Deno.test("openArrayCache() removes what was written longest ago", () =>
  inFolder(async (folder) => {
    const cache = openArrayCache(folder, { maximumBytes: 3000 });
    for (const [i, key] of ["a", "b", "c"].entries()) {
      await cache.write(key, { numbers: new Float64Array(150) }); // some 1300 bytes
      const names = [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name));
      const newest = names.toSorted((a, b) =>
        Deno.statSync(b).mtime!.getTime() - Deno.statSync(a).mtime!.getTime()
      )[0]!;
      await Deno.utime(newest, new Date(), new Date(2020, 0, 1, 0, i));
    }
    assert.deepEqual(
      await Promise.all(["a", "b", "c"].map(async (key) => await cache.read(key) !== undefined)),
      [false, true, true],
    );
  }));
