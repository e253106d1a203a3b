/** A notebook through Jupyter's own client, where it is installed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { codeCells, joined, kindsOf, readNotebook } from "../../tools/notebooks/notebook_file.ts";

async function hasNbconvert(): Promise<boolean> {
  try {
    const command = new Deno.Command("jupyter", { args: ["nbconvert", "--version"] });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

const notebook = fileURLToPath(new URL("../../notebooks/01_wavelets.ipynb", import.meta.url));

Deno.test({
  name: "nbconvert executes a notebook and loses no output",
  ignore: !await hasNbconvert(),
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "haarlem-nbconvert-" });
    try {
      // A kernel of this program under the notebook's name for it; the user's own stays as it is.
      const kernel = `${folder}/kernels/deno`;
      await Deno.mkdir(kernel, { recursive: true });
      await Deno.writeTextFile(
        `${kernel}/kernel.json`,
        JSON.stringify({
          argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
          "display_name": "Deno",
          language: "typescript",
        }),
      );
      const { success, stderr } = await new Deno.Command("jupyter", {
        args: [
          ...["nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.timeout=180"],
          ...["--output-dir", folder, "--output", "executed.ipynb", notebook],
        ],
        env: { JUPYTER_PATH: folder, HAARLEM_QUICK: "1", NO_COLOR: "1" },
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      const kinds = async (path: string) =>
        codeCells(await readNotebook(path)).map(({ cell }) => [
          joined(cell.source).split("\n")[0],
          kindsOf(cell.outputs),
        ]);
      assert.deepEqual(await kinds(`${folder}/executed.ipynb`), await kinds(notebook));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
