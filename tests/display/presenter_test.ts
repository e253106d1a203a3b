import * as tf from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { createPresenter, type Showable } from "../../display/presenter.ts";
import { decodeImage } from "../../io/png.ts";
import { chart } from "../../io/chart.ts";
import type { AblationEvent } from "../../pipelines/ablate_events.ts";
import type { TrainingEvent } from "../../pipelines/events.ts";
import { fakeSurroundings } from "./fake_surroundings.ts";

const images = { shape: [3, 8, 8, 3], data: new Float32Array(3 * 8 * 8 * 3) };
const square = {
  title: "Squares",
  plot: ({ line }: typeof import("@observablehq/plot")) => ({
    marks: [line([[0, 0], [1, 1], [2, 4]])],
  }),
};
const pngOf = (base64: string | undefined) => Uint8Array.fromBase64(base64 ?? "");

Deno.test("show() writes files and prints one line each outside a notebook", async () => {
  const { surroundings, records, lines, paths } = fakeSurroundings({ isNotebook: false });
  const { show } = createPresenter(surroundings);
  await show(images);
  await show(square, { name: "squares" });
  await show(Promise.resolve([{ a: 1 }]));
  await show(images);
  await show("A text");
  assert.deepEqual(paths(), [
    "shown/images.png",
    "shown/squares.png",
    "shown/squares.svg",
    "shown/table.md",
    "shown/images-2.png",
  ]);
  assert.deepEqual(lines(), [
    "Wrote shown/images.png",
    "Wrote shown/squares.png and .svg",
    "Wrote shown/table.md",
    "Wrote shown/images-2.png",
    "A text",
  ]);
  assert.ok(records.every(({ call }) => call === "print" || call === "write"));
});

Deno.test("show() shows in a notebook, keeps a plot's SVG beside, and waits for the kernel", async () => {
  const { surroundings, records } = fakeSurroundings({ isNotebook: true });
  const { show } = createPresenter(surroundings);
  await show(images);
  await show(square);
  await show([{ a: 1 }]);
  await show("A *text*");
  assert.deepEqual(
    records.map(({ call, path, text, bundle }) => [
      call,
      path ?? text ?? Object.keys(bundle?.data ?? {}).join(),
    ]),
    [
      ["add", "image/png,text/plain"],
      ["sleep", "50"],
      ["write", "shown/plot.svg"],
      ["add", "image/png,text/plain"],
      ["sleep", "50"],
      ["add", "text/html,text/plain"],
      ["sleep", "50"],
      ["add", "text/markdown,text/plain"],
      ["sleep", "50"],
    ],
  );
  const plot = records[3]!.bundle!;
  assert.equal(plot.data["text/plain"], "Squares");
  assert.deepEqual(plot.metadata, { "image/png": { width: 920, height: 350 } });
});

Deno.test("show() enlarges small images and takes tensors, grey ones and single ones", async () => {
  const { surroundings, outputs } = fakeSurroundings({ isNotebook: true });
  const { show } = createPresenter(surroundings);
  const grey = tf.fill([8, 4, 1], 1);
  await show(grey);
  await show(images, { columns: 3, scale: 1, gapPx: 0 });
  const [first, second] = outputs().map(({ bundle }) => pngOf(bundle!.data["image/png"]));
  const enlarged = await decodeImage(first!);
  assert.deepEqual(enlarged.shape, [32, 16, 3]); // four times
  assert.ok(enlarged.data.every((value) => value === 1));
  assert.deepEqual((await decodeImage(second!)).shape, [8, 24, 3]);
  grey.dispose();
});

Deno.test("show() says what it cannot show", async () => {
  const { show } = createPresenter(fakeSurroundings({ isNotebook: true }).surroundings);
  const expected =
    "Cannot show a value: expected images, a PNG, a chart, rows of a table, a text or an event of a pipeline but received ";
  const cases: readonly (readonly [unknown, string])[] = [
    [7, "7"],
    [null, "null"],
    [[], "an object with no keys"],
    [{ foo: 1, bar: 2 }, "an object with foo, bar"],
    [Uint8Array.of(1, 2), "2 bytes that are no PNG"],
  ];
  for (const [value, received] of cases) {
    await assert.rejects(show(value as Showable), {
      name: "TypeError",
      message: expected + received,
    });
  }
});

const run = { run: "runs/x", notes: ["a note"] };
const stepAt = (step: number): TrainingEvent<unknown> => ({
  kind: "step",
  step,
  steps: 100,
  kimg: step / 10,
  losses: { pixel: 1 / step },
  imagesPerSecond: 31.25,
  etaSeconds: 80,
});
const sampleAt = (step: number): TrainingEvent<unknown> => ({
  kind: "sample",
  step,
  kimg: step / 10,
  images,
  columns: 3,
  path: "runs/x/samples/a.png",
  measures: { psnrDb: 20 + step, meanImagePsnrDb: 15 },
});
const start: TrainingEvent<unknown> = { kind: "start", step: 0, steps: 100, ...run };
const end: TrainingEvent<unknown> = {
  kind: "end",
  finished: true,
  step: 100,
  kimg: 10,
  summary: { psnrDb: 21.25, seconds: 12 },
  path: "runs/x/student.safetensors",
  student: undefined,
};

Deno.test("show() of a run redraws in place, at most twice a second, and all of it at the end", async () => {
  const { surroundings, outputs, clock, records } = fakeSurroundings({ isNotebook: true });
  const { show } = createPresenter(surroundings);
  await show(start);
  await show(sampleAt(0));
  for (let step = 1; step <= 100; step++) {
    clock.ms += 25; // 2.5 s in all
    await show(stepAt(step));
  }
  await show(sampleAt(100));
  await show(end);
  const byId = Map.groupBy(outputs(), ({ id }) => id!.replace(/^haarlem-1-/, ""));
  assert.deepEqual([...byId.keys()], ["bar", "grid", "quality", "curves"]);
  for (const [id, [first, ...rest]] of byId) {
    assert.equal(first!.call, "add", id);
    assert.ok(rest.every(({ call }) => call === "update"), id);
  }
  // At 0, 0.5, ..., 2.5 s; the bar's last is the end, the curves' first at 25 ms.
  const counts = [...byId].map(([id, { length }]) => [id, length]);
  assert.deepEqual(Object.fromEntries(counts), { bar: 7, grid: 2, quality: 2, curves: 6 });
  const last = byId.get("bar")!.at(-1)!.bundle!;
  assert.equal(
    last.data["text/plain"],
    "runs/x: steps 0 to 100; a note\n" +
      "finished at step 100: psnrDb 21.25, seconds 12; wrote runs/x/student.safetensors",
  );
  assert.equal(records.at(-1)!.call, "sleep");
});

Deno.test("show() of a run that goes on draws its curves from the beginning", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/config.json`, "{}");
    const lines = [start, ...Array.from({ length: 40 }, (_, i) => stepAt(i + 1))];
    const text = lines.map((event) => `${JSON.stringify(event)}\n`).join("");
    await Deno.writeTextFile(`${dir}/events.jsonl`, text);
    const pictures: (string | undefined)[] = [];
    for (const run of [dir, `${dir}/gone`]) {
      const { surroundings, outputs } = fakeSurroundings({ isNotebook: true });
      const { show } = createPresenter(surroundings);
      await show({ ...start, step: 40, run });
      await show(stepAt(41));
      pictures.push(outputs().at(-1)!.bundle!.data["image/png"]);
    }
    assert.ok(pictures[0] && pictures[1] && pictures[0] !== pictures[1]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("show() of a run outside a notebook prints a line, for steps every two seconds", async () => {
  const { surroundings, lines, clock } = fakeSurroundings({ isNotebook: false });
  const { show } = createPresenter(surroundings);
  await show(start);
  for (let step = 1; step <= 100; step++) {
    clock.ms += 25;
    await show(stepAt(step));
  }
  await show(sampleAt(100));
  await show({ kind: "checkpoint", step: 100, kimg: 10, path: "c", student: undefined });
  await show(end);
  assert.deepEqual(lines(), [
    "runs/x: steps 0 to 100; a note",
    "step 1/100, 31.3 images/s, 1 min 20 s left, pixel 1",
    "step 81/100, 31.3 images/s, 1 min 20 s left, pixel 0.01235",
    "step 100/100, 31.3 images/s, 1 min 20 s left, pixel 0.01",
    "sample runs/x/samples/a.png: psnrDb 120, meanImagePsnrDb 15",
    "finished at step 100: psnrDb 21.25, seconds 12; wrote runs/x/student.safetensors",
  ]);
});

Deno.test("show() after Stop ends a run without a signal at its next step, and no later run", async () => {
  const { surroundings } = fakeSurroundings({ isNotebook: true });
  const { show, stopButton } = createPresenter(surroundings);
  await show(start);
  stopButton.press();
  await assert.rejects(show(stepAt(1)), {
    name: "AbortError",
    message: "Stopped by the notebook's user",
  });
  stopButton.press(); // while nothing runs
  await show(start);
  await show(stepAt(1));
});

Deno.test("show() after Stop lets a run with a signal end by itself", async () => {
  const { surroundings } = fakeSurroundings({ isNotebook: true });
  const { show, stopButton } = createPresenter(surroundings);
  const signal = stopButton.signal();
  await show(start);
  stopButton.press();
  assert.equal(signal.aborted, true);
  await show(stepAt(1)); // the step that was under way
  await show(end);
  assert.equal(stopButton.signal().aborted, false);
});

Deno.test("show() after Stop ends a run that does not heed another run's signal", async () => {
  const { surroundings } = fakeSurroundings({ isNotebook: true });
  const { show, stopButton } = createPresenter(surroundings);
  stopButton.signal();
  await show(start);
  stopButton.press();
  await show(stepAt(1));
  await assert.rejects(show(stepAt(2)), { name: "AbortError" });
});

const spread = (mean: number) => ({ mean, deviation: 0.5, values: [mean - 0.5, mean + 0.5] });
const summary = {
  variant: "base",
  runs: 2,
  psnrDb: spread(20),
  ssim: spread(0.8),
  swd: spread(10),
  swdFinest: spread(12),
  psnrGainDb: spread(0),
  swdGain: spread(0),
  parameters: 1234,
  inferenceParameters: 1000,
  multiplyAdds: 5e6,
  failures: [],
};
const ablation: readonly AblationEvent[] = [
  { kind: "ablationStart", out: "runs/a", variants: [], seeds: [0], done: 0, notes: ["a note"] },
  {
    kind: "ablationRun",
    id: "base-seed-0",
    variant: "base",
    seed: 0,
    state: "started",
    summaries: [],
  },
  { kind: "ablationStep", step: 5, steps: 10, etaSeconds: 61, running: ["base-seed-0"] },
  {
    kind: "ablationRun",
    id: "base-seed-0",
    variant: "base",
    seed: 0,
    state: "finished",
    quality: { psnrDb: 20, ssim: 0.8, swd: 10, swdFinest: 12 },
    summaries: [summary],
  },
  {
    kind: "ablationRun",
    id: "x-seed-0",
    variant: "x",
    seed: 0,
    state: "failed",
    error: "Cannot go on",
    summaries: [summary],
  },
  {
    kind: "ablationEnd",
    finished: true,
    rows: [],
    summaries: [summary],
    path: "runs/a/table.md",
    charts: [await chart({ title: "Quality", panels: [square] })],
  },
];

Deno.test("show() of an ablation has a bar and a table in place, and the plots at the end", async () => {
  const { surroundings, outputs } = fakeSurroundings({ isNotebook: true });
  const { show } = createPresenter(surroundings);
  for (const event of ablation) await show(event);
  const shown = outputs().map(({ call, id, bundle }) =>
    [call, id, bundle!.data["text/plain"]!.split("\n").at(-1)].join(": ")
  );
  const patterns = [
    /^add: haarlem-1-bar: $/,
    /^add: haarlem-1-table: \| base +\| +2 \| 20\.00 ± 0\.50 /,
    /^update: haarlem-1-bar: finished; wrote runs\/a\/table\.md$/,
    /^update: haarlem-1-table: \| base /,
    /^add: : Quality$/,
  ];
  assert.equal(shown.length, patterns.length);
  for (const [i, pattern] of patterns.entries()) assert.match(shown[i]!, pattern);
});

Deno.test("show() of an ablation outside a notebook prints a line per run", async () => {
  const { surroundings, lines } = fakeSurroundings({ isNotebook: false });
  const { show } = createPresenter(surroundings);
  for (const event of ablation) await show(event);
  assert.deepEqual(lines(), [
    "runs/a; a note",
    "started base-seed-0",
    "finished base-seed-0: PSNR 20.00 dB, SSIM 0.8000, SWD 10.0",
    "failed x-seed-0: Cannot go on",
    "finished; wrote runs/a/table.md",
  ]);
});
