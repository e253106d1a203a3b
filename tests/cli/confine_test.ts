/** What a plugin may not do, tried by real plugins in real processes that were given everything. */
import assert from "node:assert/strict";
import { findOpenvino } from "../../engine/find_openvino.ts";
import { makeTinyRun } from "./tiny_run.ts";

const ROOT = new URL("../../", import.meta.url);
const DECODER = new TextDecoder();

async function cli(args: readonly string[], cwd: string | URL = ROOT) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", new URL("cli.ts", ROOT).pathname, ...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, out: DECODER.decode(stdout).trim(), err: DECODER.decode(stderr).trim() };
}

/** What a plugin tries, and how the refusal names it. */
const deeds: Readonly<Record<string, readonly [code: string, deed: string, access: string]>> = {
  "a program": [
    'new Deno.Command("sh", { args: ["-c", "true"] }).outputSync()',
    "start programs",
    'Requires run access to "sh"',
  ],
  "the network": [
    'await fetch("http://127.0.0.1:8123/")',
    "use the network",
    'Requires net access to "127.0.0.1:8123"',
  ],
  "a native library": [
    'Deno.dlopen("libm.so.6", {})',
    "open native libraries",
    'Requires ffi access to "libm.so.6"',
  ],
  "a native addon": [
    '(await import("node:process")).default.dlopen({ exports: {} }, "/addon.node")',
    "open native libraries",
    'Requires ffi access to "/addon.node"',
  ],
  "a worker with more rights": [
    'await new Promise((_, reject) => { const worker = new Worker("data:application/javascript," + ' +
    "encodeURIComponent('try { Deno.dlopen(\"libm.so.6\", {}); } catch (error) { postMessage(error.message) }')" +
    ', { type: "module" }); worker.onmessage = ({ data }) => { worker.terminate(); reject(new Error(data)); }; })',
    "open native libraries",
    'Requires ffi access to "libm.so.6"',
  ],
};

/** A plugin without any import, whose loss is the pixels' and whose code is this. */
function pluginSource({ atImport = "", inLoss = "" }): string {
  return `import { defineLoss, definePlugin, tf } from ${
    JSON.stringify(new URL("mod.ts", ROOT).href)
  };
const schema = { "~standard": { version: 1, vendor: "acme", validate: (value) => ({ value }) } };
${atImport};
export default definePlugin({ name: "acme", losses: [defineLoss({
  name: "acme/sly", summary: "s", source: "t", options: schema,
  student({ scales }) {
    ${inLoss};
    const { studentImage, teacherImage } = scales.at(-1);
    return tf.mean(tf.abs(tf.sub(studentImage, teacherImage)));
  },
})] });`;
}

for (const [what, [code, deed, access]] of Object.entries(deeds)) {
  Deno.test(`a plugin cannot have ${what} when it is imported`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "haarlem-sly-" });
    try {
      const path = `${folder}/sly.mjs`;
      await Deno.writeTextFile(path, pluginSource({ atImport: code }));
      assert.deepEqual(await cli(["list", "--plugin", path]), {
        code: 2,
        out: "",
        err:
          `Cannot load the plugin "${path}": expected code that does not ${deed} but received "${access}"; docs/plugins.md says what plugins may do`,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const inLoss: Readonly<Record<string, string>> = {
  "a program": 'new Deno.Command("sh").spawn()',
  "the network": 'void fetch("http://127.0.0.1:8123/")', // nobody waits for it
  "a native library": 'Deno.dlopen("libm.so.6", {})',
};
for (const [what, code] of Object.entries(inLoss)) {
  Deno.test(`a plugin cannot have ${what} while its loss is traced`, async () => {
    await using tiny = await makeTinyRun({ steps: 2 });
    const path = `${tiny.folder}/sly.mjs`;
    await Deno.writeTextFile(path, pluginSource({ inLoss: code }));
    const { code: exit, err } = await cli([
      ...["distill", "--config", tiny.config, "--out", `${tiny.folder}/run`, "--quiet"],
      ...["--threads", "1", "--plugin", path, "--set", 'losses=[{"name":"acme/sly"}]'],
    ]);
    const [, deed, access] = deeds[what]!;
    assert.deepEqual([exit, err], [
      1,
      `Cannot finish distill: expected code that does not ${deed} but received "${access}"; docs/plugins.md says what plugins may do`,
    ]);
  });
}

Deno.test("a program of node:child_process, whose error comes later, is refused too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-sly-" });
  try {
    const path = `${folder}/sly.mjs`;
    const atImport = '(await import("node:child_process")).spawn("sh", ["-c", "true"])';
    await Deno.writeTextFile(path, pluginSource({ atImport }));
    const { code, err } = await cli(["list", "--plugin", path]);
    assert.deepEqual([code, err], [
      1,
      'Cannot finish list: expected code that does not start programs but received "Requires run access to "sh""; docs/plugins.md says what plugins may do',
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an ablation with a plugin still starts its jobs, and a run of it cannot", async () => {
  await using tiny = await makeTinyRun({ steps: 2 });
  const [good, sly] = ["good.mjs", "sly.mjs"].map((name) => `${tiny.folder}/${name}`);
  await Deno.writeTextFile(good!, pluginSource({}));
  await Deno.writeTextFile(sly!, pluginSource({ inLoss: deeds["a program"]![0] }));
  const ablate = (plugin: string, name: string) =>
    cli([
      ...["ablate", "--config", tiny.config, "--out", `${tiny.folder}/${name}`, "--quiet"],
      ...["--seeds", "0", "--images", "4", "--jobs", "2", "--plugin", plugin],
      ...["--variants", "base", "--variant", 'mine:losses=[{"name":"acme/sly"}]'],
    ]);
  const { code, out, err } = await ablate(good!, "good");
  assert.equal(code, 0, err);
  assert.match(out, /^mine +\d+\.\d\d/m);
  const refused = await ablate(sly!, "sly");
  assert.equal(refused.code, 1);
  assert.match(refused.out, /^base +\d+\.\d\d/m);
  assert.match(refused.err, /^Cannot finish the ablation: 1 runs failed/m);
});

Deno.test("OpenVINO computes after native libraries were given up", {
  ignore: !("path" in findOpenvino(undefined)),
}, async () => {
  await using tiny = await makeTinyRun({ steps: 2 });
  const path = `${tiny.folder}/good.mjs`;
  await Deno.writeTextFile(path, pluginSource({}));
  const { code, err } = await cli([
    ...["distill", "--config", tiny.config, "--out", `${tiny.folder}/run`, "--quiet"],
    ...["--engine", "openvino", "--threads", "1", "--plugin", path],
    ...["--set", 'losses=[{"name":"acme/sly"}]'],
  ]);
  assert.equal(code, 0, err);
});

Deno.test("haarlem.config.ts brings its plugins along, and they may do no more", async () => {
  await using tiny = await makeTinyRun({ steps: 2 });
  const { folder } = tiny;
  const config = (atImport: string) =>
    Deno.writeTextFile(
      `${folder}/haarlem.config.ts`,
      `import acme from "./acme.mjs";\n${atImport};\nexport default { plugins: [acme] };`,
    );
  await Deno.writeTextFile(`${folder}/acme.mjs`, pluginSource({}));
  await config("");
  const losses = ["--set", 'losses=[{"name":"acme/sly"}]'];
  const { code, out } = await cli(
    ["distill", "--config", tiny.config, ...losses, "--dry-run"],
    folder,
  );
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out).plugins, ["./haarlem.config.ts"]);
  await config('new Deno.Command("sh").spawn()');
  assert.deepEqual(await cli(["list"], folder), {
    code: 2,
    out: "",
    err:
      'Cannot load the plugins of haarlem.config.ts: expected code that does not start programs but received "Requires run access to "sh""; docs/plugins.md says what plugins may do',
  });
  await Deno.writeTextFile(`${folder}/haarlem.config.ts`, "export default { plugin: [] };");
  assert.equal(
    (await cli(["list"], folder)).err,
    'Cannot use haarlem.config.ts: expected a default export made by defineConfig() but received {"plugin":[]} (haarlem.config.ts)',
  );
});
