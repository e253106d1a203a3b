import assert from "node:assert/strict";
import { UNFINISHED, writeFileAtomic } from "../../io/atomic_write.ts";

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();

Deno.test("writeFileAtomic() shows the old content until all of the new is written", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/a.bin`;
    await writeFileAtomic(path, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
    await writeFileAtomic(
      path,
      (function* () {
        yield Uint8Array.of(4);
        assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(1, 2, 3));
        const names = namesIn(dir);
        assert.equal(names.length, 2);
        assert.match(names.find((name) => name !== "a.bin")!, UNFINISHED);
        yield Uint8Array.of(5);
      })(),
    );
    assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(4, 5));
    assert.deepEqual(namesIn(dir), ["a.bin"]);
  });
});

Deno.test("writeFileAtomic() keeps the old content if the new fails midway", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/a.bin`;
    await writeFileAtomic(path, [Uint8Array.of(1)]);
    const failing = function* () {
      yield Uint8Array.of(2);
      throw new Error("the disk is full");
    };
    await assert.rejects(writeFileAtomic(path, failing()), {
      name: "Error",
      message: `Cannot write "${path}": expected a writable file but received "the disk is full"`,
    });
    assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(1));
    assert.deepEqual(namesIn(dir), ["a.bin"]);
  });
});

Deno.test("writeFileAtomic() does not disturb a second write to the same name", async () => {
  await inFolder(async (dir) => {
    const path = `${dir}/a.bin`;
    const contents = Array.from({ length: 8 }, (_, i) => new Uint8Array(1000).fill(i));
    await Promise.all(contents.map((content) => writeFileAtomic(path, [content])));
    const [first, ...rest] = await Deno.readFile(path);
    assert.ok(rest.length === 999 && rest.every((byte) => byte === first));
    assert.deepEqual(namesIn(dir), ["a.bin"]);
  });
});
