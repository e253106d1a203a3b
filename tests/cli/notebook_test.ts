import assert from "node:assert/strict";
import { createNotebookCommand, type Programs } from "../../cli/commands/notebook.ts";

type Outputs = Readonly<Record<string, { success: boolean; text: string }>>;

/** Runs the command where only the programs of `outputs` exist. */
async function run(outputs: Outputs, kernelOnly = false) {
  const lines: string[] = [];
  const opened: string[] = [];
  const programs: Programs = {
    output: (name) => Promise.resolve(outputs[name === Deno.execPath() ? "deno" : name]),
    attach: (name, [folder]) => Promise.resolve(void opened.push(`${name} ${folder}`)),
  };
  const terminal = { print: (line: string) => lines.push(line), warn() {}, now: () => 0 };
  const { signal } = new AbortController();
  const context = { terminal, signal, again: "", confine: () => Promise.resolve() };
  await createNotebookCommand(programs).run({ "kernel-only": kernelOnly }, context);
  return { lines, opened };
}

const deno = { success: true, text: "" };
const notebooks = new URL("../../notebooks/", import.meta.url).pathname;

Deno.test("notebook installs the kernel and opens the best front end there is", async () => {
  const both = {
    deno,
    "jupyter-lab": { success: true, text: "4.2.0\n" },
    "jupyter-notebook": { success: true, text: "7\n" },
  };
  assert.deepEqual(await run(both), {
    lines: [
      "Installed Deno's Jupyter kernel for this user",
      `Opening ${notebooks} in JupyterLab 4.2.0`,
    ],
    opened: [`jupyter-lab ${notebooks}`],
  });
  const { opened } = await run({ deno, "jupyter-notebook": both["jupyter-notebook"] });
  assert.deepEqual(opened, [`jupyter-notebook ${notebooks}`]);
  assert.deepEqual((await run(both, true)).opened, []);
});

Deno.test("notebook without a front end says in one line how to get one", async () => {
  const exists = { success: false, text: "error: Deno kernel already exists at /x, run again" };
  assert.deepEqual((await run({ deno: exists })).lines, [
    "Deno's Jupyter kernel is installed already",
    "No JupyterLab was found: get one with `uv tool install jupyterlab` or `pipx install jupyterlab`, or open notebooks/ in VS Code, and choose the kernel Deno",
  ]);
});

Deno.test("notebook says why the kernel cannot be installed", async () => {
  await assert.rejects(run({ deno: { success: false, text: "error: disk full\n" } }), {
    message:
      'Cannot install Deno\'s Jupyter kernel: expected "deno jupyter --install" to succeed but received "error: disk full"',
  });
});
