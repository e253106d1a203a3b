/**
 * Type checking of notebooks, which neither the kernel nor `deno check` does: the cells, joined into
 * one module.
 *
 * @module
 */
import { codeCells, joined, type NotebookFile, readNotebook } from "./notebook_file.ts";

/** A notebook as one module. */
export interface JoinedCells {
  readonly source: string;
  /** The cell, and the line in it, of a line of the module; both from 1 on. */
  placeOf(line: number): { readonly cell: number; readonly line: number };
}

/** Joins the code cells; the module is no script, so that `await` may stand outside functions. */
export function joinCells(notebook: NotebookFile): JoinedCells {
  const lines: string[] = [];
  const starts: { readonly cell: number; readonly first: number }[] = [];
  for (const { cell, number } of codeCells(notebook)) {
    starts.push({ cell: number, first: lines.length });
    lines.push(...joined(cell.source).split("\n"));
  }
  lines.push("export {};");
  return {
    source: `${lines.join("\n")}\n`,
    placeOf(line) {
      const start = starts.findLast(({ first }) => first < line) ?? { cell: 0, first: 0 };
      return { cell: start.cell, line: line - start.first };
    },
  };
}

/** The module that stands for a notebook in messages. */
export function moduleOf(path: string): string {
  return path.replace(/\.ipynb$/, ".cells.ts");
}

const plain = (bytes: Uint8Array) =>
  // deno-lint-ignore no-control-regex -- colours
  new TextDecoder().decode(bytes).replace(/\x1b\[[\d;]*m/g, "");

/**
 * Checks the types of notebooks; the modules lie beside them only while this runs.
 *
 * @returns one text per notebook that has errors, with cells and lines instead of the module's
 */
export async function checkNotebooks(paths: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  for (const path of paths) {
    const { source, placeOf } = joinCells(await readNotebook(path));
    const module = moduleOf(path);
    await Deno.writeTextFile(module, source);
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["check", "--quiet", module],
      }).output();
      if (success) continue;
      const text = plain(stderr).replaceAll(
        /file:\/\/\S*\.cells\.ts:(\d+):(\d+)/g,
        (_, row, column) => {
          const { cell, line } = placeOf(Number(row));
          return `${path}, cell ${cell}, line ${line}, column ${column}`;
        },
      );
      faults.push(`${path}\n${text}`);
    } finally {
      await Deno.remove(module);
    }
  }
  return faults;
}
