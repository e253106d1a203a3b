import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openRun, type OpenRunOptions } from "../../io/run_folder.ts";
import { readRun, type RunEvent } from "../../io/run_files.ts";

const config = { seed: 1, steps: 10, losses: [{ name: "pixel", weight: 1 }], threads: 2 };
const arrays = (value: number) => ({ w: { shape: [2], data: new Float32Array(2).fill(value) } });

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const namesIn = (dir: string) => [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
const withoutTimes = (events: readonly RunEvent[]) => events.map(({ time: _, ...event }) => event);

/** A run of two steps with one checkpoint between them. */
async function makeRun(dir: string): Promise<void> {
  using run = await openRun(dir, config);
  run.append({ kind: "step", images: 1000, losses: { pixel: 0.5 } });
  await run.checkpoint(arrays(1), { images: 1000, step: 1 }, { score: 15 });
  run.append({ kind: "step", images: 2000, losses: { pixel: 0.4 } });
}

Deno.test("openRun() makes a folder with config, events, checkpoints and samples", async () => {
  await inFolder(async (parent) => {
    const dir = `${parent}/runs/x`;
    await makeRun(dir);
    using run = await openRun(`${parent}/runs/y`, config);
    assert.equal(run.resumed, undefined);
    assert.equal(
      await run.sample("000000.000-kimg.png", Uint8Array.of(1)),
      `${run.dir}/samples/000000.000-kimg.png`,
    );
    assert.equal(await run.write("losses.svg", "<svg/>"), `${run.dir}/losses.svg`);
    run.append({ kind: "step", loss: NaN, image: new Float32Array(3) });
    run.close();
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${run.dir}/config.json`)), config);
    assert.deepEqual(namesIn(run.dir), ["config.json", "events.jsonl", "losses.svg", "samples"]);
    const { events } = await readRun(run.dir);
    assert.deepEqual(withoutTimes(events), [{ kind: "step", loss: "NaN" }]);
    assert.ok(Math.abs(Date.now() - Date.parse(events[0]!.time!)) < 60_000);
  });
});

Deno.test("openRun() resumes from the newest checkpoint and cuts later events", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir);
    await Deno.writeTextFile(`${dir}/events.jsonl`, '{"kind":"st', { append: true }); // a kill
    const whole = { images: 1000, step: 1 };
    {
      const comparable = ({ seed, losses }: typeof config) => ({ seed, losses });
      const other = { ...config, steps: 20, threads: 1, device: "cpu" };
      using run = await openRun(dir, other, { comparable });
      assert.deepEqual(run.resumed?.arrays, arrays(1));
      assert.deepEqual(run.resumed.counters, whole);
      assert.equal(run.resumed.score, 15);
      assert.deepEqual(run.resumed.metadata, {});
      assert.deepEqual(run.resumed.skipped, []);
      run.append({ kind: "step", images: 2000, losses: { pixel: 0.3 } });
    }
    const path = "checkpoints/checkpoint-000001.000-kimg.safetensors";
    const record = await readRun(dir);
    assert.deepEqual(withoutTimes(record.events), [
      { kind: "step", images: 1000, losses: { pixel: 0.5 } },
      { kind: "checkpoint", ...whole, path, score: 15 },
      { kind: "step", images: 2000, losses: { pixel: 0.3 } },
    ]);
    assert.deepEqual(record.config, { ...config, steps: 20, threads: 1, device: "cpu" });
    assert.deepEqual(record.checkpoints, [{ path: `${dir}/${path}`, images: 1000 }]);
  });
});

Deno.test("openRun() starts anew where no checkpoint was reached", async () => {
  await inFolder(async (dir) => {
    (await openRun(dir, config)).close();
    await Deno.writeTextFile(`${dir}/events.jsonl`, '{"kind":"step"}\n', { append: true });
    (await openRun(dir, config)).close();
    assert.deepEqual((await readRun(dir)).events, []);
  });
});

Deno.test("openRun() takes another config where no checkpoint but the first was reached", async () => {
  await inFolder(async (dir) => {
    (await openRun(dir, config)).close();
    const other = { ...config, seed: 2 };
    {
      using run = await openRun(dir, other);
      assert.equal(run.resumed, undefined);
      await run.checkpoint(arrays(0), { images: 0, step: 0 });
    }
    assert.deepEqual((await readRun(dir)).config, other);
    (await openRun(dir, other)).close();
    assert.equal((await readRun(dir)).checkpoints.length, 1); // the same config goes on with it
    using run = await openRun(dir, config);
    assert.equal(run.resumed, undefined);
    const record = await readRun(dir);
    assert.deepEqual(record.config, config);
    assert.deepEqual([record.events, record.checkpoints], [[], []]);
  });
});

Deno.test("openRun() names the first field that differs, with both values", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir);
    const before = await Deno.readTextFile(`${dir}/config.json`);
    const differences: [object, string][] = [
      [{ ...config, seed: 2, losses: [] }, '"seed" 1 as before but received 2'],
      [
        { ...config, losses: [{ name: "pixel", weight: 2 }] },
        '"losses[0].weight" 1 as before but received 2',
      ],
      [
        { ...config, losses: [] },
        `"losses[0]" {"name":"pixel","weight":1} as before but received nothing`,
      ],
      [{ ...config, ema: 0.99 }, '"ema" nothing as before but received 0.99'],
      [{ ...config, seed: "1" }, '"seed" 1 as before but received "1"'],
      [{ ...config, seed: null }, '"seed" 1 as before but received null'],
    ];
    for (const [other, difference] of differences) {
      await assert.rejects(openRun(dir, other), {
        name: "RangeError",
        message: `Cannot resume "${dir}": expected ${difference}; use --restart or another --out`,
      });
    }
    assert.equal(await Deno.readTextFile(`${dir}/config.json`), before);
    assert.equal((await readRun(dir)).events.length, 3);
    const options: OpenRunOptions<typeof config> = { comparable: ({ losses }) => losses };
    using run = await openRun(dir, { ...config, seed: 2 }, options);
    assert.equal(run.resumed?.counters.images, 1000);
  });
});

Deno.test("openRun() with restart removes what a run wrote, and nothing else", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir);
    {
      using run = await openRun(dir, config);
      await run.sample("a.png", Uint8Array.of(1));
      await run.write("report.md", "old");
    }
    await Deno.writeTextFile(`${dir}/notes.txt`, "mine");
    await Deno.writeTextFile(`${dir}/samples/mine.txt`, "mine");
    await Deno.writeTextFile(`${dir}/checkpoints/student.safetensors`, "mine");
    using run = await openRun(dir, { seed: 2 }, { restart: true });
    assert.equal(run.resumed, undefined);
    const record = await readRun(dir);
    assert.deepEqual(record.config, { seed: 2 });
    assert.deepEqual([record.events, record.checkpoints, record.samples], [[], [], []]);
    const kept = ["checkpoints", "config.json", "events.jsonl", "notes.txt", "samples"];
    assert.deepEqual(namesIn(dir), [".lock", ...kept]);
    assert.deepEqual(namesIn(`${dir}/samples`), ["mine.txt"]);
    assert.deepEqual(namesIn(`${dir}/checkpoints`), ["student.safetensors"]);
  });
});

Deno.test("openRun() leaves a folder alone that holds something else", async () => {
  await inFolder(async (dir) => {
    for (const name of ["thesis.tex", "config.json", "events.jsonl"]) {
      await Deno.writeTextFile(`${dir}/${name}`, "{}");
      for (const restart of [false, true]) {
        await assert.rejects(openRun(dir, config, { restart }), {
          message: `Cannot start a run in "${dir}": expected an empty folder or a run ` +
            `but received one with "${name}"; use another --out`,
        });
      }
      assert.deepEqual(namesIn(dir), [name]);
      await Deno.remove(`${dir}/${name}`);
    }
    await Deno.mkdir(`${dir}/checkpoints`); // of a run whose config was removed
    await assert.rejects(openRun(dir, config), { name: "Error" });
  });
});

Deno.test("openRun() passes over a damaged checkpoint and sets it aside", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir);
    let path = "";
    {
      using run = await openRun(dir, config);
      path = await run.checkpoint(arrays(2), { images: 2000, step: 2 });
    }
    await Deno.truncate(path, 300);
    {
      using run = await openRun(dir, config);
      assert.deepEqual(run.resumed?.arrays, arrays(1));
      assert.deepEqual(run.resumed.skipped.map((skipped) => skipped.path), [path]);
    }
    assert.deepEqual(namesIn(`${dir}/checkpoints`), [
      "checkpoint-000001.000-kimg.safetensors",
      "checkpoint-000002.000-kimg.safetensors.damaged",
    ]);
  });
});

Deno.test("openRun() does not start anew silently if every checkpoint is damaged", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir);
    const path = (await readRun(dir)).checkpoints[0]!.path;
    await Deno.truncate(path, 3);
    await assert.rejects(openRun(dir, config), {
      message: `Cannot resume "${dir}": expected a whole checkpoint but received 1 damaged ` +
        `(Cannot read safetensors "${path}": expected at least 8 bytes but received 3); ` +
        "use --restart or another --out",
    });
    (await openRun(dir, config, { restart: true })).close();
  });
});

Deno.test("openRun() keeps the newest checkpoints and the best", async () => {
  await inFolder(async (dir) => {
    using run = await openRun(dir, config, { keep: 1 });
    for (const [i, score] of [10, 20, 15, 16].entries()) {
      await run.checkpoint(arrays(i), { images: 1000 * i }, { score });
    }
    const { checkpoints } = await readRun(dir);
    assert.deepEqual(checkpoints.map(({ images }) => images), [1000, 3000]);
  });
});

Deno.test("run.sample() and run.write() refuse names that restart would not know", async () => {
  await inFolder(async (dir) => {
    using run = await openRun(dir, config);
    await assert.rejects(run.sample("../a.png", new Uint8Array()), {
      name: "RangeError",
      message: "Cannot write sample: expected a name of letters, digits, dots, - and _ " +
        'that ends in .png but received "../a.png"',
    });
    await assert.rejects(run.write("thesis.md", ""), {
      name: "RangeError",
      message: "Cannot write result: expected a name that begins with one of comparison, " +
        "discriminator, losses, metrics, psnr, report, student, teacher and ends in one of " +
        'html, json, md, onnx, png, safetensors, svg but received "thesis.md"',
    });
  });
});

Deno.test("readRun() says what is missing", async () => {
  await assert.rejects(readRun("nowhere"), {
    message: 'Cannot read run "nowhere": ' +
      'expected "config.json" and "events.jsonl" but received no folder',
  });
  await inFolder(async (dir) => {
    await assert.rejects(readRun(dir), {
      message: `Cannot read run "${dir}": ` +
        'expected "config.json" and "events.jsonl" but received a folder without them',
    });
    await makeRun(dir);
    await Deno.writeTextFile(`${dir}/events.jsonl`, '{"kind":"a"}\noops\n');
    await assert.rejects(readRun(dir), {
      name: "SyntaxError",
      message: `Cannot read "${dir}/events.jsonl": expected JSON in line 2 but received "oops"`,
    });
    await Deno.writeTextFile(`${dir}/config.json`, "[]");
    await assert.rejects(readRun(dir), {
      name: "SyntaxError",
      message: `Cannot read "${dir}/config.json": expected a JSON object but received "[]"`,
    });
  });
});

Deno.test("openRun() refuses a second time at once in one process", async () => {
  await inFolder(async (dir) => {
    {
      using _ = await openRun(dir, config);
      await assert.rejects(openRun(dir, config), {
        message: `Cannot open run "${dir}": expected no other process to use it ` +
          `but received process ${Deno.pid}; wait for it or use another --out`,
      });
    }
    assert.ok(!namesIn(dir).includes(".lock"));
    (await openRun(dir, config)).close();
  });
});

const child = fileURLToPath(new URL("run_folder_child.ts", import.meta.url));

/** Starts the child and waits until it has the folder. */
async function startChild(dir: string, ...args: string[]): Promise<Deno.ChildProcess> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", child, dir, ...args],
    stdout: "piped",
  });
  const process = command.spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), "open\n");
  reader.releaseLock();
  return process;
}

async function kill(process: Deno.ChildProcess): Promise<void> {
  process.kill("SIGKILL");
  await process.stdout.cancel();
  await process.status;
}

Deno.test("openRun() refuses a folder of a living process and takes over that of a dead one", async () => {
  await inFolder(async (dir) => {
    const process = await startChild(dir, "idle");
    try {
      await assert.rejects(openRun(dir, { seed: 1 }), {
        message: `Cannot open run "${dir}": expected no other process to use it ` +
          `but received process ${process.pid}; wait for it or use another --out`,
      });
    } finally {
      await kill(process);
    }
    assert.ok(namesIn(dir).includes(".lock"));
    (await openRun(dir, { seed: 1 })).close();
  });
});

Deno.test("openRun() finds a whole checkpoint after a SIGKILL at any instant", async () => {
  await inFolder(async (dir) => {
    let last = 0;
    // More rounds where the machine is too busy to reach a checkpoint in six.
    for (let round = 0; round < 6 || (last === 0 && round < 60); round++) {
      const process = await startChild(dir);
      await new Promise((resolve) => setTimeout(resolve, 50 + 73 * round));
      await kill(process);
      using run = await openRun(dir, { seed: 1 });
      const { images, step } = run.resumed?.counters ?? { images: 0, step: 0 };
      assert.ok(images >= last, `${images} images after ${last}`);
      assert.equal(step, images / 1000);
      assert.deepEqual(run.resumed?.skipped ?? [], []);
      if (run.resumed) {
        assert.ok(run.resumed.arrays.weights!.data.every((value) => value === images));
      }
      const { events, checkpoints } = await readRun(dir);
      assert.deepEqual(
        events.map(({ images }) => images),
        Array.from({ length: 2 * step }, (_, i) => 1000 * Math.floor(i / 2 + 1)),
      );
      assert.ok(checkpoints.length <= 3);
      const files = namesIn(dir).includes("checkpoints") ? namesIn(`${dir}/checkpoints`) : [];
      assert.ok(!files.some((name) => name.endsWith(".tmp")));
      last = images;
    }
    assert.ok(last > 0);
  });
});
