import type { NotebookFile, Output } from "../../tools/notebooks/notebook_file.ts";
import { linesOf } from "../../tools/notebooks/notebook_file.ts";

/** A notebook of cells; a text that begins with `#` is Markdown. */
export function notebookOf(
  ...cells: (string | { readonly code: string; readonly outputs: readonly Output[] })[]
): NotebookFile {
  return {
    cells: cells.map((cell) => {
      const { code, outputs } = typeof cell === "string" ? { code: cell, outputs: [] } : cell;
      const source = linesOf(code);
      return code.startsWith("#")
        ? { "cell_type": "markdown", metadata: {}, source }
        : { "cell_type": "code", metadata: {}, source, outputs: [...outputs] };
    }),
    metadata: { kernelspec: { name: "deno", "display_name": "Deno", language: "typescript" } },
    nbformat: 4,
    "nbformat_minor": 5,
  };
}
