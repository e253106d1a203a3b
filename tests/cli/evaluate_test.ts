import assert from "node:assert/strict";
import { join } from "node:path";
import { commands } from "../../cli.ts";
import { runCommandLine } from "../../cli/run_command_line.ts";
import { saveGenerator } from "../../mod.ts";
import { tinyStudent, tinyTeacher } from "../pipelines/evaluate/tiny_subjects.ts";
import { fakeProcess } from "./fake_process.ts";

/** Runs the command with these words; gives what it printed. */
async function run(...args: string[]) {
  const process = fakeProcess();
  const code = await runCommandLine(["evaluate", ...args], commands, process);
  return { code, out: process.out, err: process.err };
}

Deno.test("evaluate prints what it measured, and where the report is", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-cli-evaluate-" });
  const cache = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", join(folder, "cache"));
  try {
    const teacher = tinyTeacher();
    const [weights, critic] = [join(folder, "s.safetensors"), join(folder, "t.safetensors")];
    await saveGenerator(weights, tinyStudent(teacher));
    await saveGenerator(critic, teacher);
    const words = ["--weights", weights, "--teacher", critic, "--metrics", "fid,distance"];
    const few = ["--samples", "16", "--pairs", "4", "--threads", "1"];
    const report = join(folder, "report");

    const plain = await run(...words, ...few, "--out", report);
    assert.equal(plain.code, 0, plain.err.join("\n"));
    assert.match(
      plain.out[0]!,
      /^fid: student to teacher, other latents \(discriminator [0-9a-f]{8}, used in training\): fid [\d.]+$/,
    );
    assert.equal(plain.out.at(-1), `Wrote ${join(report, "report.html")}`);
    assert.ok(plain.err.includes("pairs of student and teacher"));

    const json = await run(...words, ...few, "--out", report, "--json");
    const events = json.out.map((line) => JSON.parse(line));
    assert.equal(events[0].kind, "start");
    const { kind, evaluation } = events.at(-1);
    assert.equal(kind, "end");
    assert.equal(evaluation.config.samples, 16);
    assert.ok(evaluation.measurements.length >= 5);
  } finally {
    if (cache === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", cache);
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [what, words, message] of [
    [
      "nobody",
      ["--real", "avatars"],
      "Cannot evaluate: expected a student or a teacher but received none; give --weights FILE or --teacher FILE",
    ],
    [
      "unknown features",
      ["--weights", "s", "--features", "lpips"],
      'Cannot read --features: expected discriminator, vgg16, vgg16=FILE, inception, inception=FILE or FILE.onnx but received "lpips"',
    ],
    [
      "an unknown range",
      ["--weights", "s", "--features", "net.onnx=0..9"],
      'Cannot read the configuration: "features.0.range": Invalid option: expected one of "-1..1"|"0..1"|"0..255"',
    ],
    [
      "an unknown metric",
      ["--weights", "s", "--metrics", "fid,kld"],
      'Cannot find metric "kld": known names are "fid", "kid", "swd", "precision_recall", "ppl", "distance", "cost"; did you mean "kid"?',
    ],
  ] as const
) {
  Deno.test(`evaluate refuses ${what}`, async () => {
    const { code, err, out } = await run(...words);
    assert.deepEqual([code, err, out], [2, [message], []]);
  });
}
