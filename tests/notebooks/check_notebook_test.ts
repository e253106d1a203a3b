import assert from "node:assert/strict";
import { checkNotebooks, joinCells } from "../../tools/notebooks/check_notebook.ts";
import { formatNotebooks } from "../../tools/notebooks/format_notebook.ts";
import { linesOf, readNotebook, writeNotebook } from "../../tools/notebooks/notebook_file.ts";
import { notebookOf } from "./notebook_of.ts";

Deno.test("joinCells() knows the cell and line of every line", () => {
  const { source, placeOf } = joinCells(notebookOf("# Title", "a;\nb;", "# Text", "c;"));
  assert.equal(source, "a;\nb;\nc;\nexport {};\n");
  assert.deepEqual([1, 2, 3].map(placeOf), [
    { cell: 2, line: 1 },
    { cell: 2, line: 2 },
    { cell: 4, line: 1 },
  ]);
});

Deno.test("linesOf() keeps the ends of lines", () => {
  assert.deepEqual(linesOf("a\n\nb"), ["a\n", "\n", "b"]);
  assert.deepEqual(linesOf(""), []);
});

Deno.test("checkNotebooks() finds wrong types and lint, at cell and line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/01_bad.ipynb`;
    const wrong = notebookOf(
      'import { createEngine } from "haarlem";\nconst engine = await createEngine();',
      "# Text",
      "const unused = 1;\nengine.compute();",
    );
    await writeNotebook(path, wrong);
    const good = `${folder}/02_good.ipynb`;
    await writeNotebook(good, notebookOf('import { show } from "haarlem";', 'await show("a");'));
    const faults = await checkNotebooks([path, good]);
    assert.doesNotMatch(faults, /02_good/);
    assert.match(faults, /Property 'compute' does not exist on type 'Engine'/);
    assert.match(faults, /at 01_bad\.ipynb, cell 3, line 2, column 8/);
    assert.match(faults, /no-unused-vars[^]*01_bad\.ipynb, cell 3, line 1, column 7/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("formatNotebooks() finds cells that are not formatted, and formats them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a.ipynb`;
    await writeNotebook(path, notebookOf("# Title\n*  a", "const a=1", "const b = 2;", "# Text"));
    const faults = ["a.ipynb, cell 1", "a.ipynb, cell 2"];
    assert.deepEqual(await formatNotebooks([path], { write: false }), faults);
    assert.deepEqual(await formatNotebooks([path], { write: true }), faults);
    assert.deepEqual(await formatNotebooks([path], { write: false }), []);
    const { cells } = await readNotebook(path);
    assert.deepEqual(cells.map(({ source }) => source), [
      ["# Title\n", "\n", "- a"],
      ["const a = 1;"],
      ["const b = 2;"],
      ["# Text"],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
