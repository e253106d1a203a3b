/**
 * The format of notebooks' cells. `deno fmt` of Deno 2.9 takes the last line's end from every cell,
 * and its `--check` then asks for it back: notebooks are excluded there and formatted here.
 *
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { joined, linesOf, readNotebook, writeNotebook } from "./notebook_file.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

interface CellFile {
  readonly notebook: number;
  readonly cell: number;
  readonly path: string;
  readonly before: string;
}

/** Formats a folder of files. */
async function formatFolder(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--config", CONFIG, folder],
  }).output();
  if (success) return;
  throw new SyntaxError(
    `Cannot format the notebooks: expected cells that can be read but received "${
      new TextDecoder().decode(stderr).trim()
    }"`,
  );
}

/**
 * Finds cells that are not formatted, and formats them if asked to.
 *
 * @returns one text for each: notebook and cell
 */
export async function formatNotebooks(
  paths: readonly string[],
  { write }: { readonly write: boolean },
): Promise<string[]> {
  const notebooks = await Promise.all(paths.map(readNotebook));
  const folder = await Deno.makeTempDir();
  try {
    const files: CellFile[] = [];
    for (const [notebook, { cells }] of notebooks.entries()) {
      for (const [cell, { "cell_type": type, source }] of cells.entries()) {
        const ending = { code: "ts", markdown: "md", raw: undefined }[type];
        const before = joined(source);
        if (!ending || !before.trim()) continue;
        const path = `${folder}/${notebook}-${cell}.${ending}`;
        await Deno.writeTextFile(path, before);
        files.push({ notebook, cell, path, before });
      }
    }
    await formatFolder(folder);
    const faults: string[] = [];
    for (const { notebook, cell, path, before } of files) {
      const after = (await Deno.readTextFile(path)).trimEnd();
      if (after === before) continue;
      faults.push(`${basename(paths[notebook]!)}, cell ${cell + 1}`);
      notebooks[notebook]!.cells[cell]!.source = linesOf(after);
    }
    if (write) {
      for (const [i, path] of paths.entries()) await writeNotebook(path, notebooks[i]!);
    }
    return faults;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
