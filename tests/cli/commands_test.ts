import assert from "node:assert/strict";
import { commands } from "../../cli.ts";
import { run } from "./run.ts";
import { makeTinyRun } from "./tiny_run.ts";

Deno.test("every command helps, in lines of at most 100 characters", async () => {
  for (const name of Object.keys(commands)) {
    const { code, out } = await run(name, "--help");
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^Usage: deno task ${name} (.+ )?\\[options\\]$`, "m"));
    assert.deepEqual(out.split("\n").filter((line) => line.length > 100), []);
  }
});

Deno.test("every option of every command says what it does", () => {
  for (const [name, { options }] of Object.entries(commands)) {
    for (const [option, { help }] of Object.entries(options as Record<string, { help: string }>)) {
      assert.match(help, /^\w.*[^.]$/, `${name} --${option}`);
    }
  }
});

Deno.test("cost prints the counts of the paper's networks", async () => {
  const { code, out } = await run("cost", "--preset", "ffhq-1024");
  assert.equal(code, 0);
  for (
    const figure of [
      "28,268,812",
      "2,101,248",
      "29,012,513",
      "8,855,823",
      "7,306,395",
      "15,090,000",
    ]
  ) assert.ok(out.includes(figure), figure);
  const { out: frozen } = await run(
    ...["cost", "--preset", "ffhq-1024", "--json", "--set", "student.demodulation.name=frozen"],
  );
  assert.equal(JSON.parse(frozen).costs["student in training"].parameters, 8_852_079);
});

Deno.test("cost counts another size, layer by layer", async () => {
  const { out } = await run("cost", "--size-px", "256", "--layers");
  assert.match(out, /^config-f: 256 px, styles of 512$/m);
  assert.match(out, /^synthesis\.256\.rgb +/m);
  assert.doesNotMatch(out, /paper/);
});

Deno.test("list names every loss with its options", async () => {
  const { code, out } = await run("list", "--kind", "loss");
  assert.equal(code, 0);
  assert.match(out, /^ {2}adversarial +GAN loss/m);
  assert.match(out, /^ +option: form "non_saturating" \| "bce" = "non_saturating"$/m);
  assert.doesNotMatch(out, /^upscale/m);
  const { out: json } = await run("list", "--json");
  assert.ok(JSON.parse(json).some(({ name }: { name: string }) => name === "idwt"));
});

Deno.test("distill --dry-run prints the resolved configuration and runs nothing", async () => {
  const { code, out } = await run(
    ...["distill", "--dry-run", "--steps", "7", "--seed", "3", "--set", "losses.0.weight=2"],
  );
  assert.equal(code, 0);
  const config = JSON.parse(out);
  assert.deepEqual([config.name, config.steps, config.seed], ["avatars-64-quick", 7, 3]);
  assert.deepEqual(config.losses[0], { name: "pixel", weight: 2 });
});

Deno.test("train-teacher --dry-run prints the resolved configuration", async () => {
  const { code, out } = await run("train-teacher", "--dry-run", "--kimg", "60", "--data", "photos");
  assert.equal(code, 0);
  const { kimg, data, network } = JSON.parse(out);
  assert.deepEqual([kimg, data, network.sizePx], [60, "photos", 64]);
});

Deno.test("commands take a wrong configuration for wrong usage", async () => {
  const cases: Readonly<Record<string, string>> = {
    "distill --preset ffhq1024":
      'Cannot find preset "ffhq1024": known presets are "avatars-64-quick", "avatars-64", "ffhq-256", "ffhq-1024"; did you mean "ffhq-1024"?',
    "distill --preset avatars-64 --config x.json":
      'Cannot use --preset "avatars-64" with --config "x.json": expected one of them',
    "distill --preset ffhq-256":
      'Cannot distil "ffhq-256": expected a teacher but received none; give --teacher FILE',
    "distill --set optimiser.learningrat=1":
      'Cannot set "optimiser.learningrat": expected a known key but received "learningrat"; did you mean "learningRate"?',
    "distill --set student.head.name=skp":
      'Cannot find head "skp": known names are "single", "skip"; did you mean "skip"?',
    "distill --engine cuda":
      'Cannot read --engine: expected one of "onnx", "openvino", "tfjs", "auto" but received "cuda"',
    "convert --out x": "Cannot run convert: expected FILE but received nothing",
    "generate": "Cannot run generate: expected --weights FILE but received nothing",
  };
  for (const [line, sentence] of Object.entries(cases)) {
    assert.deepEqual(await run(...line.split(" ")), { code: 2, out: "", err: sentence }, line);
  }
});

Deno.test("commands say which configuration file cannot be read", async () => {
  const { code, err } = await run("distill", "--config", "missing.json");
  assert.equal(code, 2);
  assert.match(
    err,
    /^Cannot read --config "missing\.json": expected a file of JSON but received "No/,
  );
});

Deno.test("a plugin's parts are listed, and what is no plugin is refused", async () => {
  const source = (name: string) =>
    `data:application/javascript,export default { name: "acme", losses: [{ kind: "loss", ` +
    `name: "${name}", summary: "s", source: "t", options: { "~standard": { version: 1, ` +
    `vendor: "v", validate: (value) => ({ value }) } }, student() {} }] };`;
  const { code, out } = await run("list", "--plugin", source("acme/huber"));
  assert.equal(code, 0, out);
  assert.match(out, /acme\/huber +s \(plugin acme\)/);
  for (const spec of ["data:application/javascript,export default 5;", "./missing.ts"]) {
    const refused = await run("list", "--plugin", spec);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /^Cannot .*plugin/);
  }
});

Deno.test("cost names the parts that do not say their multiply-adds", async () => {
  const plugin = `data:application/javascript,export default { name: "acme", upscales: [{ ` +
    `kind: "upscale", name: "acme/up", summary: "s", source: "t", options: { "~standard": { ` +
    `version: 1, vendor: "v", validate: (value) => ({ value }) } }, init: () => ({}), ` +
    `outChannels: (c) => c, apply() {} }] };`;
  const { code, out } = await run(
    ...["cost", "--plugin", plugin, "--set", "student.upscale.name=acme/up"],
  );
  assert.equal(code, 0);
  assert.equal(
    out.split("\n").at(-1),
    "multiply-adds without those of acme/up: a part counts as none if it has no multiplyAdds()",
  );
});

Deno.test("what is no plugin is refused in one sentence", async () => {
  const data = (source: string) => `data:application/javascript,${source}`;
  const cases: Readonly<Record<string, string>> = {
    [data("export default 5;")]:
      "Cannot use a plugin: expected an object made by definePlugin() but received 5 (--plugin SPEC)",
    [data("export const acme = {};")]:
      "Cannot use a plugin: expected an object made by definePlugin() but received undefined (--plugin SPEC)",
    [data("throw new Error('no')")]:
      'Cannot load the plugin "SPEC": expected a module that exports one but received "no"',
  };
  for (const [spec, sentence] of Object.entries(cases)) {
    assert.deepEqual(await run("list", "--plugin", spec), {
      code: 2,
      out: "",
      err: sentence.replace("SPEC", spec),
    });
  }
});

Deno.test("a configuration starts no code: the plugins that it names must be given", async () => {
  await using tiny = await makeTinyRun({ steps: 3 });
  const path = `${tiny.folder}/acme.mjs`;
  const proof = `${tiny.folder}/proof`;
  await Deno.writeTextFile(path, `Deno.writeTextFileSync(${JSON.stringify(proof)}, "ran");`);
  const config = JSON.parse(await Deno.readTextFile(tiny.config));
  const losses = [{ name: "acme/huber" }];
  await Deno.writeTextFile(
    tiny.config,
    JSON.stringify({ ...config, plugins: [path], losses }),
  );
  assert.deepEqual(await run("distill", "--config", tiny.config, "--dry-run"), {
    code: 2,
    out: "",
    err:
      `Cannot find loss "acme/huber": expected the plugin "acme" to be loaded but received only "haarlem"; give it by --plugin, or by use() in code; the configuration names "${path}", whose code runs only if you give it`,
  });
  await assert.rejects(Deno.stat(proof), Deno.errors.NotFound);
});

Deno.test("distill runs, resumes and ends; generate draws the result", async () => {
  await using tiny = await makeTinyRun({ steps: 3 });
  const out = `${tiny.folder}/run`;
  const first = await run("distill", "--config", tiny.config, "--out", out, "--json");
  assert.equal(first.code, 0, first.err);
  const events = first.out.split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(events.filter(({ kind }) => kind === "step").map(({ step }) => step), [1, 2, 3]);
  const { kind, finished, path } = events.at(-1);
  assert.deepEqual([kind, finished], ["end", true]);

  const more = await run("distill", "--config", tiny.config, "--out", out, "--steps", "4");
  assert.equal(more.code, 0, more.err);
  assert.match(more.err, /^from step 3 to step 4 in /);
  assert.match(more.out, /^Wrote .*student\.safetensors after 4 steps/);

  const grid = `${tiny.folder}/grid.png`;
  const drawn = await run("generate", "--weights", path, "--seeds", "0-3", "--out", grid);
  assert.equal(drawn.code, 0, drawn.err);
  assert.equal(drawn.out, `Wrote 4 images of the student ${path} to ${grid}`);
  assert.deepEqual([...(await Deno.readFile(grid)).slice(1, 4)], [0x50, 0x4e, 0x47]);
});
