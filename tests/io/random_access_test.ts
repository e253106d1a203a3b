import assert from "node:assert/strict";
import { bytesAccess, openFile, unreadable } from "../../io/random_access.ts";

const bytes = Uint8Array.of(1, 2, 3, 4, 5);

Deno.test("bytesAccess() reads copies of ranges", () => {
  const access = bytesAccess(bytes, "x.pt");
  const read = access.read(1, 3);
  assert.deepEqual([...read], [2, 3, 4]);
  read[0] = 9;
  assert.equal(bytes[1], 2);
});

Deno.test("slice() keeps the place in the outermost file for errors", () => {
  const inner = bytesAccess(bytes, "x.pt").slice(1, 4).slice(1, 2);
  assert.deepEqual([...inner.read(0, 2)], [3, 4]);
  assert.throws(() => inner.read(1, 2), {
    name: "SyntaxError",
    message: 'Cannot read "x.pt" at byte 3: expected 2 more bytes but received 1 bytes',
  });
  for (const [offset, length] of [[-1, 1], [0, -1], [NaN, 1], [0, Infinity], [9, 0], [0.5, 1]]) {
    assert.throws(() => inner.read(offset!, length!), SyntaxError);
    assert.throws(() => inner.slice(offset!, length!), SyntaxError);
  }
});

Deno.test("openFile() reads ranges of a file and closes it", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, bytes);
    using file = openFile(path);
    assert.equal(file.size, 5);
    assert.deepEqual([...file.read(3, 2)], [4, 5]);
    assert.deepEqual([...file.slice(1, 3).read(0, 1)], [2]);
    assert.throws(() => file.read(4, 2), SyntaxError);
    Deno.truncateSync(path, 2);
    assert.throws(() => file.read(1, 3), {
      message:
        `Cannot read "${path}" at byte 2: expected more bytes but received the end of the file`,
    });
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("openFile() refuses what is no file", () => {
  const folder = Deno.makeTempDirSync();
  assert.throws(() => openFile(folder), {
    name: "TypeError",
    message: `Cannot read "${folder}": expected a file but received a folder or device`,
  });
  assert.throws(() => openFile(`${folder}/missing`), Deno.errors.NotFound);
  Deno.removeSync(folder);
});

Deno.test("unreadable() names file and byte", () => {
  assert.equal(
    unreadable({ name: "a", start: 10 }, 5, "x", "y").message,
    'Cannot read "a" at byte 15: expected x but received y',
  );
});
