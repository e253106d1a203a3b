/** The ablation of the command line: runs as processes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { commands } from "../../cli.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import { saveGenerator } from "../../pipelines/generator_file.ts";
import { tinyDistill, tinyTeacher } from "../pipelines/tiny.ts";

const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-ablate-" });

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

async function run(...args: string[]) {
  const lines = { printed: [] as string[], warned: [] as string[] };
  const code = await runCommandLine(["ablate", ...args], commands, {
    terminal: {
      print: (line) => lines.printed.push(line),
      warn: (line) => lines.warned.push(line),
      now: () => performance.now(),
    },
    onInterrupt: () => () => {},
    confine: () => Promise.resolve(),
    exit: () => {},
  });
  return { code, ...lines };
}

async function prepare() {
  const teacher = join(folder, "teacher.safetensors");
  const config = join(folder, "base.json");
  await saveGenerator(teacher, tinyTeacher());
  const losses = [{ name: "pixel" }];
  await Deno.writeTextFile(config, JSON.stringify({ ...tinyDistill, losses, steps: 3 }));
  return ["--config", config, "--teacher", teacher, "--seeds", "0", "--images", "4"];
}

Deno.test("ablate runs its jobs as processes, and a failing one does not stop the others", async () => {
  const out = join(folder, "run");
  const { code, printed, warned } = await run(
    ...await prepare(),
    ...["--out", out, "--jobs", "2", "--variants", "upscale-bilinear"],
    ...["--variant", "wild:optimiser.learningRate=1e30"],
  );
  assert.equal(code, 1);
  assert.match(printed[0]!, /PSNR, dB +to the base +SWD +ms, fused$/);
  assert.match(printed[1]!, /^base +\d+\.\d\d/);
  assert.match(printed[2]!, /^upscale-bilinear +\d+\.\d\d +[+-]\d\.\d\d/);
  assert.equal(printed.at(-1), `Wrote ${out}/table.md`);
  const failure = warned.find((line) => line.startsWith("failed wild-seed-0"));
  assert.match(failure!, /: Cannot go on with the distillation: expected "pixel" to stay near /);
  assert.match(
    warned.at(-1)!,
    /^Cannot finish the ablation: 1 runs failed, the others are in the table; the same command tries them again: deno task ablate --config /,
  );
  const report = await Deno.stat(join(out, "runs/upscale-bilinear-seed-0/student.safetensors"));
  assert.ok(report.size > 0);
});

Deno.test("ablate --verbose hears its processes, and finds their error before its stack", async () => {
  const { warned } = await run(
    ...await prepare(),
    ...["--out", join(folder, "verbose"), "--jobs", "2", "--verbose", "--variants", "base"],
    ...["--variant", "wild:optimiser.learningRate=1e30"],
  );
  const failure = warned.find((line) => line.startsWith("failed wild-seed-0"));
  assert.match(failure!, /: Cannot go on with the distillation: expected "pixel" to stay near /);
  const said = warned.filter((line) => line.startsWith("wild-seed-0: "));
  assert.ok(said.some((line) => line.startsWith("wild-seed-0:     at ")), warned.join("\n"));
});

Deno.test("ablate --dry-run lists the runs", async () => {
  const { code, printed } = await run(
    ...await prepare(),
    ...["--variants", "heads", "--variant", "small:batch=4", "--dry-run"],
  );
  assert.equal(code, 0);
  assert.deepEqual(printed, [
    "base: the configuration that the others are compared with",
    'head-skip: student.head={"name":"skip"} do heads that add up over the scales bring something in the wavelet domain?',
    "no-auxiliary: student.auxiliary=false do heads at every scale stabilise training?",
    "small: batch=4",
  ]);
});

Deno.test("ablate says what is wrong with a variant", async () => {
  const { code, warned } = await run(...await prepare(), "--variant", "small");
  assert.equal(code, 2);
  assert.deepEqual(warned, [
    'Cannot read --variant: expected "name:path=value" but received "small"',
  ]);
});
