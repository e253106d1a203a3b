import assert from "node:assert/strict";
import { joined, readNotebook, writeNotebook } from "../../tools/notebooks/notebook_file.ts";
import { runNotebook } from "../../tools/notebooks/run_notebook.ts";
import { notebookOf } from "./notebook_of.ts";

const folder = await Deno.makeTempDir({ prefix: "haarlem-notebooks-" });

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

async function faultsOf(...cells: Parameters<typeof notebookOf>): Promise<readonly string[]> {
  const path = `${folder}/a.ipynb`;
  await writeNotebook(path, notebookOf(...cells));
  return (await runNotebook(path, { cellSeconds: 10 })).faults;
}

const SHOW =
  "const show = (x: string) => Deno.jupyter.display({ 'text/plain': x }, { raw: true });";
const png = { "output_type": "display_data", data: { "image/png": "" }, metadata: {} } as const;

Deno.test("runNotebook() stores outputs, counts and nothing else", async () => {
  const path = `${folder}/good.ipynb`;
  const written = notebookOf(
    "# Title",
    SHOW,
    "await show('a\\nb'); 7",
    "Deno.env.get('HAARLEM_X')",
  );
  await writeNotebook(path, written);
  const { notebook, faults, longestCell } = await runNotebook(path, {
    cellSeconds: 10,
    env: { HAARLEM_X: "set" },
  });
  assert.deepEqual(faults, []);
  assert.ok(longestCell.number >= 2);
  const [, , shown, environment] = notebook.cells;
  assert.deepEqual(shown!.outputs!.map(({ data }) => data!["text/plain"]), [["a\n", "b"], ["7"]]);
  assert.deepEqual(environment!.outputs![0]!.data!["text/plain"], ['"set"']);
  assert.deepEqual(notebook.cells.map((cell) => cell.execution_count), [undefined, 1, 2, 3]);
  const without = notebook.cells.map((cell) => joined(cell.source));
  assert.deepEqual(without, written.cells.map((cell) => joined(cell.source)));
  await writeNotebook(path, notebook);
  assert.deepEqual(await readNotebook(path), JSON.parse(JSON.stringify(notebook)));
});

Deno.test("runNotebook() stops at an error and names its cell", async () => {
  assert.deepEqual(await faultsOf("1", "// why\nnull.x", "2"), [
    `cell 2 ("// why") failed: TypeError: Cannot read properties of null (reading 'x')`,
  ]);
});

Deno.test("runNotebook() finds outputs that are missing or not meant", async () => {
  assert.deepEqual(
    await faultsOf(
      SHOW,
      "if (false) await show('never')",
      { code: "await show('text instead')", outputs: [png] },
      "console.error('careless')",
    ),
    [
      "cell 2 (\"if (false) await show('never')\") shows nothing",
      "cell 3 (\"await show('text instead')\") lacks image/png, which the committed notebook has",
      "cell 4 (\"console.error('careless')\") wrote to the error stream: careless",
    ],
  );
});

Deno.test("runNotebook() ends a cell over its time", async () => {
  const path = `${folder}/slow.ipynb`;
  await writeNotebook(path, notebookOf("await new Promise((r) => setTimeout(r, 60_000))"));
  const { faults } = await runNotebook(path, { cellSeconds: 0.5 });
  assert.deepEqual(faults, [
    'cell 1 ("await new Promise((r) => setTimeout(r, 60_000))"): ' +
    "Cannot run the cell: expected at most 0.5 s",
  ]);
});
