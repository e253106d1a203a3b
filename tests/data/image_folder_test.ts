import assert from "node:assert/strict";
import { Jimp } from "jimp";
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { type BadFile, openImageFolder } from "../../data/image_folder.ts";

type Pixel = readonly [number, number, number, number];
/** Writes a picture whose pixels are a function of their place. */
async function draw(
  path: string,
  [width, height]: readonly [number, number],
  pixelAt: (x: number, y: number) => Pixel,
): Promise<void> {
  const data = Buffer.alloc(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    data.set(pixelAt(i % width, Math.floor(i / width)), i * 4);
  }
  const type = /g$/.test(path) && !path.endsWith("png") ? "image/jpeg" : "image/png";
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, await Jimp.fromBitmap({ data, width, height }).getBuffer(type));
}
const flat = (value: number) => (): Pixel => [value, value, value, 255];

async function withFolder(use: (folder: string, cacheDir: string) => Promise<void>) {
  const parent = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(parent, "pictures"));
    await use(join(parent, "pictures"), join(parent, "cache"));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("openImageFolder() finds PNG and JPEG in subfolders, in the order of their paths", () =>
  withFolder(async (folder) => {
    await draw(join(folder, "b.jpeg"), [8, 8], flat(40));
    await draw(join(folder, "c", "a.png"), [8, 8], flat(80));
    await draw(join(folder, "a.png"), [8, 8], flat(120));
    await draw(join(folder, "a", "z.JPG"), [8, 8], flat(160));
    await draw(join(folder, ".hidden.png"), [8, 8], flat(200));
    await Deno.writeTextFile(join(folder, "notes.txt"), "no picture");
    const source = await openImageFolder({ folder, sizePx: 8, cacheDir: null });
    assert.deepEqual(source.paths, ["a.png", "a/z.JPG", "b.jpeg", "c/a.png"]);
    assert.equal(source.length, 4);
    assert.equal(source.name, "pictures, 8 px");
    const reds = await Promise.all([0, 1, 2, 3].map(async (i) => (await source.read(i))[0]!));
    [120, 160, 40, 80].forEach((value, i) => assert.ok(Math.abs(value - reds[i]!) <= 2));
  }));

Deno.test("openImageFolder() crops the central square and averages areas", () =>
  withFolder(async (folder) => {
    // 16 x 8: the outer quarters are red, the centre holds columns of 0, 10, ..., 70.
    await draw(
      join(folder, "wide.png"),
      [16, 8],
      (x) => x < 4 || x >= 12 ? [255, 0, 0, 255] : [(x - 4) * 10, 9, 9, 255],
    );
    const source = await openImageFolder({ folder, sizePx: 4, cacheDir: null });
    const image = await source.read(0);
    assert.deepEqual([...image.subarray(0, 12)], [5, 9, 9, 25, 9, 9, 45, 9, 9, 65, 9, 9]);
    assert.deepEqual(image.subarray(36), image.subarray(0, 12));
  }));

Deno.test("openImageFolder() lays transparency on white before it averages", () =>
  withFolder(async (folder) => {
    await draw(join(folder, "a.png"), [8, 8], (x) => x % 2 ? [0, 0, 0, 0] : [55, 55, 55, 255]);
    const source = await openImageFolder({ folder, sizePx: 4, cacheDir: null });
    assert.deepEqual(new Set(await source.read(0)), new Set([155]));
  }));

Deno.test("openImageFolder() names bad files and skips them, cached or not", () =>
  withFolder(async (folder, cacheDir) => {
    await draw(join(folder, "a.png"), [8, 8], flat(10));
    await Deno.writeTextFile(join(folder, "b.png"), "not a picture");
    await draw(join(folder, "c.png"), [8, 8], flat(30));
    await draw(join(folder, "d.png"), [8, 8], flat(40));
    const whole = await Deno.readFile(join(folder, "d.png"));
    await Deno.writeFile(join(folder, "d.png"), whole.subarray(0, whole.length - 20));
    for (let pass = 0; pass < 2; pass++) {
      const called: BadFile[] = [];
      const source = await openImageFolder({
        folder,
        sizePx: 8,
        cacheDir,
        onBadFile: (file) => called.push(file),
      });
      assert.deepEqual(source.badFiles.map(({ path }) => path), ["b.png", "d.png"]);
      assert.equal(source.badFiles[0]!.reason, "Could not find MIME for Buffer");
      assert.deepEqual(called, source.badFiles);
      assert.deepEqual(source.paths, ["a.png", "c.png"]);
      assert.deepEqual([(await source.read(0))[0], (await source.read(1))[0]], [10, 30]);
    }
  }));

Deno.test("openImageFolder() decodes once, and again after a file has changed", () =>
  withFolder(async (folder, cacheDir) => {
    await draw(join(folder, "a.png"), [8, 8], flat(10));
    let decoded = 0;
    const open = () =>
      openImageFolder({ folder, sizePx: 8, cacheDir, onProgress: () => decoded++ });
    assert.equal((await (await open()).read(0))[0], 10);
    assert.equal((await (await open()).read(0))[0], 10);
    assert.equal(decoded, 1);
    await draw(join(folder, "a.png"), [9, 9], flat(20));
    assert.equal((await (await open()).read(0))[0], 20);
    assert.equal(decoded, 2);
  }));

Deno.test("openImageFolder() goes on where an aborted preparation stopped", () =>
  withFolder(async (folder, cacheDir) => {
    for (const name of ["a", "b", "c"]) {
      await draw(join(folder, `${name}.png`), [8, 8], flat(name.charCodeAt(0)));
    }
    const controller = new AbortController();
    const options = { folder, sizePx: 8, cacheDir };
    await assert.rejects(
      openImageFolder({
        ...options,
        signal: controller.signal,
        onProgress: (done) => done === 2 && controller.abort(),
      }),
      { name: "AbortError" },
    );
    // The first file turns to garbage unnoticed: it must not be decoded a second time.
    const path = join(folder, "a.png");
    const { size, mtime } = await Deno.stat(path);
    await Deno.writeFile(path, new Uint8Array(size));
    await Deno.utime(path, mtime!, mtime!);
    const source = await openImageFolder(options);
    const { data } = await source.batch([0, 1, 2]);
    assert.deepEqual(
      [0, 192, 384].map((at) => Math.round((data[at]! + 1) * 127.5)),
      [97, 98, 99],
    );
  }));

Deno.test("openImageFolder() decodes an image again whose cached record was damaged", () =>
  withFolder(async (folder, cacheDir) => {
    await draw(join(folder, "a.png"), [8, 8], flat(10));
    const source = await openImageFolder({ folder, sizePx: 8, cacheDir });
    const [{ name }] = [...Deno.readDirSync(cacheDir)] as [Deno.DirEntry];
    await Deno.truncate(join(cacheDir, name, "000000.rgb"), 30);
    assert.equal((await source.read(0))[0], 10);
  }));

Deno.test("openImageFolder() says that a folder has no image", () =>
  withFolder(async (folder) => {
    await assert.rejects(openImageFolder({ folder, sizePx: 8, cacheDir: null }), {
      name: "RangeError",
      message:
        `Cannot open the image folder "${folder}": expected PNG or JPEG files but received none`,
    });
    await Deno.writeTextFile(join(folder, "b.png"), "not a picture");
    await assert.rejects(openImageFolder({ folder, sizePx: 8, cacheDir: null }), {
      name: "RangeError",
      message: `Cannot open the image folder "${folder}": expected a readable image but received ` +
        '1 unreadable files, the first "b.png" with "Could not find MIME for Buffer"',
    });
  }));

Deno.test("openImageFolder() says that there is no folder", async () => {
  await assert.rejects(
    openImageFolder({ folder: "no_such_folder", sizePx: 8, cacheDir: null }),
    (error: Error) => {
      assert.ok(
        error.message.startsWith(
          'Cannot open the image folder "no_such_folder": expected a readable folder but received "',
        ),
      );
      return true;
    },
  );
});
