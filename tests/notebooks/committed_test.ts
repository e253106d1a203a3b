/** The notebooks as they are committed; `deno task notebooks:run` executes them. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import architecture from "../../tools/architecture_plugin.ts";
import { joinCells } from "../../tools/notebooks/check_notebook.ts";
import { findNotebooks } from "../../tools/notebooks/find_notebooks.ts";
import {
  codeCells,
  joined,
  type NotebookFile,
  readNotebook,
} from "../../tools/notebooks/notebook_file.ts";
import { outputFaults } from "../../tools/notebooks/run_notebook.ts";
import { notebookOf } from "./notebook_of.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const MAX_BYTES = 3_000_000;

/** What is wrong with a notebook of a name. */
function faultsOf(name: string, notebook: NotebookFile): string[] {
  const faults: string[] = [];
  const number = Number(name.slice(0, 2));
  const opening = joined(notebook.cells[0]?.source);
  if (!opening.startsWith(`# ${number}. `)) faults.push(`does not begin with "# ${number}. "`);
  if (!/^You will /m.test(opening)) faults.push('does not open with "You will ..."');
  for (const { cell, number } of codeCells(notebook)) {
    const outputs = cell.outputs ?? [];
    faults.push(
      ...outputFaults(joined(cell.source), outputs, undefined)
        .map((fault) => `cell ${number} ${fault}`),
    );
    if (outputs.some((output) => output.output_type === "error")) {
      faults.push(`cell ${number} failed`);
    }
    if (outputs.some(({ data }) => Number(joined(data?.["text/plain"]).length) > 10_000)) {
      faults.push(`cell ${number} prints a large value`);
    }
  }
  const text = JSON.stringify(notebook);
  if (text.includes(ROOT) || /file:\/\/|"\/(home|root|tmp|Users)\//.test(text)) {
    faults.push("holds a path of the machine that it ran on");
  }
  if (text.length > MAX_BYTES) faults.push(`has ${text.length} bytes`);
  const rules = { name: "architecture", rules: { imports: architecture.rules["imports"]! } };
  const module = `${ROOT}notebooks/${name.replace(".ipynb", ".ts")}`;
  const { source } = joinCells(notebook);
  return [
    ...faults,
    ...Deno.lint.runPlugin(rules, module, source).map(({ message }) => message),
  ];
}

Deno.test("notebooks are numbered, say what the reader will do, and hold their outputs", async () => {
  const paths = await findNotebooks([]);
  assert.deepEqual(
    paths.map((path) => basename(path).slice(0, 3)),
    paths.map((_, i) => `0${i + 1}_`),
  );
  for (const path of paths) {
    assert.deepEqual(faultsOf(basename(path), await readNotebook(path)), [], path);
  }
});

Deno.test("a notebook's faults are found", () => {
  const data = { "text/plain": "/root/x".padEnd(10_001, "x") };
  const notebook = notebookOf(
    "# 8. Title",
    'import { distill } from "../pipelines/distill.ts";',
    "await show(distill);",
    {
      code: "1",
      outputs: [{ "output_type": "execute_result", data }, { "output_type": "error" }],
    },
  );
  assert.deepEqual(faultsOf("09_x.ipynb", notebook), [
    'does not begin with "# 9. "',
    'does not open with "You will ..."',
    "cell 3 shows nothing",
    "cell 4 failed",
    "cell 4 prints a large value",
    "holds a path of the machine that it ran on",
    'Cannot import "../pipelines/distill.ts" from notebooks: expected a file of notebooks, mod',
  ]);
});
