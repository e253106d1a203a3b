import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { imageGrid } from "../../io/png.ts";
import { writeReport } from "../../io/report.ts";
import { openRun } from "../../io/run_folder.ts";

const config = {
  name: "quick",
  seed: 1,
  losses: [{ name: "pixel", weight: 1 }],
  student: { head: { name: "single" }, channels: [64, 32] },
};
const grid = { shape: [4, 8, 8, 3], data: new Float32Array(4 * 8 * 8 * 3) };

/** A run of 20 steps of 100 images, whose student ends so many dB above the mean image. */
async function makeRun(dir: string, gainDb: number): Promise<void> {
  using run = await openRun(dir, config);
  run.append({ kind: "start", run: dir, step: 0, steps: 20, notes: ["on the CPU"] });
  const png = await imageGrid(grid, { columns: 2, labels: ["teacher", "student"] });
  const sample = async (step: number) => {
    const path = await run.sample(`pairs-${step}.png`, png);
    const measures = { psnrDb: 11 + (4.5 + gainDb) * step / 20, meanImagePsnrDb: 15.5 };
    const labels = ["teacher", "student", "teacher"];
    run.append({ kind: "sample", step, kimg: step / 10, path, labels, measures });
  };
  await sample(0);
  for (let step = 1; step <= 20; step++) {
    const losses = { pixel: 0.5 / step, "wavelet|<b>": 1 / step };
    run.append({ kind: "step", step, steps: 20, kimg: step / 10, losses });
  }
  await run.checkpoint({}, { images: 2000, step: 20 });
  await sample(20);
  const path = `${dir}/student.safetensors`;
  run.append({ kind: "end", finished: true, step: 20, kimg: 2, path, summary: {} });
}

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(`${dir}/quick`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("writeReport() says what came out, beside what the mean image gives", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir, 3.25);
    const { markdown } = await writeReport(dir, { command: "deno task distill --seed 1" });
    const text = await Deno.readTextFile(markdown);
    const expected = [
      "# Run quick",
      `The run is finished; the network is in \`${dir}/student.safetensors\`.`,
      "- on the CPU",
      "The student began at 11.00 dB and is at 18.75 dB. The teacher's mean image alone gives " +
      "15.50 dB: the student is 3.25 dB above it.",
      "| student at the start | 11.00 | 0 |",
      "| student at the end | 18.75 | 2 |",
      "| teacher's mean image | 15.50 |  |",
      "| student above the mean image | 3.25 | 2 |",
      "![PSNR](psnr.svg)",
      "![Rows in turn: teacher, student; after 2 kimg](samples/pairs-20.png)",
      "![Rows in turn: teacher, student; after 0 kimg](samples/pairs-0.png)",
      "![Losses](losses.svg)",
      "| `pixel` | 0.5 | 0.025 | 0.1 |",
      "| `wavelet\\|<b>` | 1 | 0.05 | 0.1 |",
      "| steps | 20 of 20 |",
      "| images | 2 kimg |",
      "| times started | 1 |",
      "The same command goes on from checkpoint-000002.000-kimg.safetensors:",
      "    deno task distill --seed 1",
      "| `losses[0].weight` | `1` |",
      "| `student.channels` | `[64,32]` |",
    ];
    for (const line of expected) assert.ok(text.includes(line), `${line}\n\nin\n\n${text}`);
  });
});

Deno.test("writeReport() does not call it progress below the mean image", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir, -1);
    const { markdown } = await writeReport(dir);
    const text = await Deno.readTextFile(markdown);
    assert.ok(
      text.includes("15.50 dB: the student is 1.00 dB below it, which is no progress yet."),
    );
    assert.ok(text.includes("| student above the mean image | -1.00 | 2 |"));
    assert.ok(text.includes("Type the command that started this run again: it goes on from"));
  });
});

Deno.test("writeReport() writes curves, and a page that holds all pictures", async () => {
  await inFolder(async (dir) => {
    await makeRun(dir, 3);
    const { html } = await writeReport(dir);
    const { document } = parseHTML(await Deno.readTextFile(html));
    assert.equal(document.querySelectorAll('img[src^="data:image/png;base64,"]').length, 2);
    assert.equal(document.querySelectorAll("figure > svg.haarlem-chart").length, 2);
    assert.equal(document.querySelectorAll("b").length, 0);
    for (const name of ["losses", "psnr"]) {
      assert.ok((await Deno.readTextFile(`${dir}/${name}.svg`)).startsWith("<svg xmlns="));
      assert.deepEqual(
        (await Deno.readFile(`${dir}/${name}.png`)).slice(1, 4),
        Uint8Array.of(80, 78, 71),
      );
    }
  });
});

Deno.test("writeReport() leaves out the pauses between processes", async () => {
  await inFolder(async (dir) => {
    (await openRun(dir, config)).close();
    const at = (kind: string, seconds: number, step = 0) =>
      JSON.stringify({
        kind,
        step,
        steps: 9,
        kimg: step,
        time: new Date(seconds * 1000).toISOString(),
      });
    const lines = [at("start", 0), at("step", 100, 1), at("start", 9000, 1), at("step", 9092, 2)];
    await Deno.writeTextFile(`${dir}/events.jsonl`, `${lines.join("\n")}\n`);
    const text = await Deno.readTextFile((await writeReport(dir)).markdown);
    assert.ok(text.includes("| time, samples and checkpoints included | 3 min 12 s |"), text);
    assert.ok(text.includes("| images per second, over that time | 10.4 |"));
    assert.ok(text.includes("| times started | 2 |"));
    assert.ok(text.includes("| steps | 2 of 9 |"));
    assert.ok(text.includes("The run goes on, or was stopped before its end."));
  });
});

Deno.test("writeReport() keeps fractions of a time below a minute", async () => {
  await inFolder(async (dir) => {
    (await openRun(dir, config)).close();
    const lines = [0, 400, 12_340].map((ms, i) => {
      const time = new Date(ms).toISOString();
      return JSON.stringify({ kind: i === 0 ? "start" : "step", step: i, kimg: i, time });
    });
    for (const [count, said] of [[2, "0.4 s"], [3, "12.3 s"]] as const) {
      await Deno.writeTextFile(`${dir}/events.jsonl`, `${lines.slice(0, count).join("\n")}\n`);
      const text = await Deno.readTextFile((await writeReport(dir)).markdown);
      assert.ok(text.includes(`| time, samples and checkpoints included | ${said} |`), text);
    }
  });
});

Deno.test("writeReport() writes of a run that has not made a step", async () => {
  await inFolder(async (dir) => {
    (await openRun(dir, config)).close();
    const text = await Deno.readTextFile((await writeReport(dir)).markdown);
    assert.ok(!text.includes("psnr.svg") && !text.includes("Samples"));
    (await openRun(dir, config, { restart: true })).close();
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assert.deepEqual(
      names,
      ["config.json", "events.jsonl"],
      "restart knows every file of a report",
    );
  });
});

Deno.test("writeReport() refuses a folder that is no run", async () => {
  await assert.rejects(writeReport("nowhere"), {
    message: 'Cannot read run "nowhere": ' +
      'expected "config.json" and "events.jsonl" but received no folder',
  });
});
