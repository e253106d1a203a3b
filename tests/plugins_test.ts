/** The packages of plugins/: each is whole, and serves a run of the command line. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** What each package is used for, as an author would type it. */
const uses: Readonly<Record<string, readonly string[]>> = {
  cdf53: ["student.upscale.name=cdf53/inverse"],
  latent_relation: ['losses=[{"name":"pixel"},{"name":"latent/relation","weight":0.1}]'],
};

async function readJson(path: string) {
  return JSON.parse(await Deno.readTextFile(new URL(path, ROOT)));
}

/** Runs a task as a shell would. */
async function task(...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("plugins/ holds packages that are whole, and nothing that is not tested here", async () => {
  const entries = await Array.fromAsync(Deno.readDir(new URL("plugins/", ROOT)));
  assert.deepEqual(
    entries.map(({ name }) => name).sort(),
    ["README.md", ...Object.keys(uses)].sort(),
  );
  const { version, workspace } = await readJson("deno.json");
  for (const name of Object.keys(uses)) {
    const folder = await Array.fromAsync(Deno.readDir(new URL(`plugins/${name}/`, ROOT)));
    assert.deepEqual(folder.map(({ name }) => name).sort(), [
      "README.md",
      "deno.json",
      "mod.ts",
      "mod_test.ts",
    ]);
    const { exports, imports, ...described } = await readJson(`plugins/${name}/deno.json`);
    assert.equal(exports, "./mod.ts");
    assert.equal(imports.haarlem, `jsr:@haarlem/haarlem@^${version}`);
    assert.match(described.name, /^@\w+\/[\w-]+$/);
    assert.match(described.version, /^\d+\.\d+\.\d+$/);
    assert.ok(workspace.includes(`./plugins/${name}`));
  }
});

for (const [name, sets] of Object.entries(uses)) {
  Deno.test(`deno task distill uses plugins/${name}, and generate draws the student`, async () => {
    const out = await Deno.makeTempDir({ prefix: `haarlem-plugin-${name}-` });
    const plugin = ["--plugin", `./plugins/${name}/mod.ts`];
    try {
      const { code, err } = await task(
        ...["distill", "--steps", "3", "--batch", "2", "--threads", "1", "--out", out, "--quiet"],
        ...plugin,
        ...sets.flatMap((set) => ["--set", set]),
      );
      assert.equal(code, 0, err);
      const lines = (await Deno.readTextFile(`${out}/events.jsonl`)).trim().split("\n");
      const steps = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
      assert.deepEqual(steps.map(({ step }) => step), [1, 2, 3]);
      assert.ok(steps.every(({ losses }) => Object.values(losses).every(Number.isFinite)));
      const { plugins, student, losses } = JSON.parse(
        await Deno.readTextFile(`${out}/config.json`),
      );
      assert.deepEqual(plugins, plugin.slice(1));
      const owner = name === "cdf53" ? "cdf53/" : "latent/";
      assert.ok(JSON.stringify([student, losses]).includes(`"${owner}`));
      const weights = `${out}/student.safetensors`;
      const drawn = await task(
        ...["generate", "--weights", weights, "--seeds", "0-3", "--out", `${out}/grid.png`],
        ...plugin,
      );
      assert.equal(drawn.code, 0, drawn.err);
      if (name !== "cdf53") return; // its student has a part of the plugin
      const unloaded = await task("generate", "--weights", weights);
      assert.deepEqual([unloaded.code, unloaded.err.split("\n").filter(Boolean).at(-1)], [
        1,
        `Cannot load the student "${weights}": expected the plugin "cdf53", whose upscale "cdf53/inverse" it has, but it is not loaded; it was distilled with ${
          plugin.join(" ")
        }`,
      ]);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
}
