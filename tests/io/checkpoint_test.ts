import assert from "node:assert/strict";
import {
  findBestCheckpoint,
  kimgName,
  listCheckpoints,
  pruneCheckpoints,
  readCheckpoint,
  readNewestCheckpoint,
  writeCheckpoint,
} from "../../io/checkpoint.ts";
import { writeSafetensorsFile } from "../../io/safetensors.ts";

const arrays = { weights: { shape: [3], data: new Float32Array([1, 2, 3]) } };

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const imagesIn = async (dir: string) => (await listCheckpoints(dir)).map(({ images }) => images);

Deno.test("kimgName() sorts as the images do", () => {
  assert.equal(kimgName(0), "000000.000-kimg");
  assert.equal(kimgName(128_000), "000128.000-kimg");
  assert.equal(kimgName(25_000_008), "025000.008-kimg");
});

Deno.test("writeCheckpoint() and readCheckpoint() round trip", async () => {
  await inFolder(async (dir) => {
    const path = await writeCheckpoint(dir, {
      arrays,
      counters: { images: 64, step: 8, lr: 0.1 + 0.2 },
      score: 17.25,
      metadata: { student: "{}" },
    });
    assert.equal(path, `${dir}/checkpoint-000000.064-kimg.safetensors`);
    assert.deepEqual(await readCheckpoint(path), {
      arrays,
      counters: { images: 64, step: 8, lr: 0.1 + 0.2 },
      score: 17.25,
      metadata: { student: "{}" },
    });
  });
});

Deno.test("writeCheckpoint() refuses counters that cannot be read back", async () => {
  const write = (counters: { images: number }) => writeCheckpoint("nowhere", { arrays, counters });
  await assert.rejects(write({ images: 1.5 }), {
    name: "RangeError",
    message:
      'Cannot write checkpoint: expected counter "images" to be a whole number but received 1.5',
  });
  const counters = { images: 1, loss: NaN };
  await assert.rejects(write(counters), {
    name: "RangeError",
    message: 'Cannot write checkpoint: expected counter "loss" to be finite but received NaN',
  });
  await assert.rejects(
    writeCheckpoint("nowhere", { arrays, counters: { images: 1 }, score: NaN }),
    { message: "Cannot write checkpoint: expected a score but received NaN" },
  );
});

Deno.test("readCheckpoint() refuses a file of another kind", async () => {
  await inFolder(async (dir) => {
    await writeSafetensorsFile(`${dir}/a.safetensors`, arrays);
    await assert.rejects(readCheckpoint(`${dir}/a.safetensors`), {
      name: "RangeError",
      message:
        `Cannot read checkpoint "${dir}/a.safetensors": expected metadata "checkpoint.counters" ` +
        "but received nothing",
    });
  });
});

Deno.test("readNewestCheckpoint() passes over every kind of damaged file", async (t) => {
  const damages: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    "an empty file": () => new Uint8Array(0),
    "half a file": (bytes) => bytes.subarray(0, bytes.length / 2),
    "a file without its last byte": (bytes) => bytes.subarray(0, -1),
    "zeros at the end": (bytes) => bytes.fill(0, bytes.length - 4),
    "one wrong bit in a weight": (bytes) => (bytes[bytes.length - 9]! ^= 1, bytes),
    "one wrong bit in a counter": (bytes) => {
      const text = new TextDecoder("latin1").decode(bytes);
      bytes[text.indexOf("2000")]! ^= 1;
      return bytes;
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    await t.step(name, () =>
      inFolder(async (dir) => {
        const old = await writeCheckpoint(dir, { arrays, counters: { images: 1000 } });
        const path = await writeCheckpoint(dir, { arrays, counters: { images: 2000 } });
        await Deno.writeFile(path, damage(await Deno.readFile(path)));
        const { newest, skipped } = await readNewestCheckpoint(dir);
        assert.equal(newest?.path, old);
        assert.deepEqual(newest.arrays, arrays);
        assert.deepEqual(skipped.map(({ path }) => path), [path]);
        assert.match(skipped[0]!.reason, /^Cannot read (checkpoint|safetensors) ".+": expected/);
      }));
  }
});

Deno.test("readNewestCheckpoint() sorts by images, not by text", async () => {
  await inFolder(async (dir) => {
    for (const images of [999_999_000, 1_000_000_000]) {
      await writeCheckpoint(dir, { arrays, counters: { images } });
    }
    assert.deepEqual(await imagesIn(dir), [999_999_000, 1_000_000_000]);
    assert.equal((await readNewestCheckpoint(dir)).newest?.counters.images, 1_000_000_000);
  });
});

Deno.test("readNewestCheckpoint() finds nothing without a folder", async () => {
  assert.deepEqual(await readNewestCheckpoint("nowhere"), { newest: undefined, skipped: [] });
});

Deno.test("pruneCheckpoints() keeps the newest and the best", async () => {
  await inFolder(async (dir) => {
    const scores = [10, 18, 18, 12, 13, -Infinity];
    for (const [i, score] of scores.entries()) {
      await writeCheckpoint(dir, { arrays, counters: { images: 1000 * i }, score });
    }
    await Deno.writeTextFile(`${dir}/notes.txt`, "mine");
    await pruneCheckpoints(dir, 2);
    assert.deepEqual(await imagesIn(dir), [2000, 4000, 5000]);
    assert.equal((await findBestCheckpoint(dir))?.images, 2000);
    assert.equal(await Deno.readTextFile(`${dir}/notes.txt`), "mine");
  });
});
