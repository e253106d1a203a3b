/**
 * Type checking of notebooks, which neither the kernel nor `deno check` does: the cells, joined into
 * one module.
 *
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
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

const ROOT = new URL("../../", import.meta.url);

const plain = (bytes: Uint8Array) =>
  // deno-lint-ignore no-control-regex -- colours
  new TextDecoder().decode(bytes).replace(/\x1b\[[\d;]*m/g, "")
    .replace(/\nerror: Type checking failed[^]*/, "").trim();

/**
 * Checks types and lint of notebooks.
 *
 * @returns what the tools say, with notebooks, cells and lines instead of modules; empty: all is well
 */
export async function checkNotebooks(paths: readonly string[]): Promise<string> {
  const texts: string[] = [];
  // Elsewhere, so that nothing that reads the tree meanwhile meets the modules.
  const folder = await Deno.makeTempDir();
  const config = fileURLToPath(new URL("deno.json", ROOT));
  try {
    const cells = new Map<string, JoinedCells>();
    for (const path of paths) {
      const name = basename(path, ".ipynb");
      cells.set(name, joinCells(await readNotebook(path)));
      await Deno.writeTextFile(`${folder}/${name}.ts`, cells.get(name)!.source);
    }
    for (const command of ["check", "lint"]) {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [command, "--quiet", "--config", config, folder],
      }).output();
      if (success) continue;
      const place = /(?:file:\/\/)?[^\s(]*\/(\w+)\.ts:(\d+):(\d+)/g;
      const text = plain(stderr).replaceAll(place, (match, name, row, column) => {
        const place = cells.get(name)?.placeOf(Number(row));
        if (!place) return match; // of the library
        const { cell, line } = place;
        return `${name}.ipynb, cell ${cell}, line ${line}, column ${column}`;
      });
      texts.push(`deno ${command}:\n${text}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return texts.join("\n\n");
}
