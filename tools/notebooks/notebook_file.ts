// deno-lint-ignore-file camelcase -- names of the format
/**
 * Notebook files: nbformat 4, as far as they are read and written here.
 *
 * @module
 */
import { writeFileAtomic } from "../../io/atomic_write.ts";
import type { Message } from "./kernel_client.ts";

/** An output of a cell. */
export interface Output {
  readonly output_type: "stream" | "display_data" | "execute_result" | "error";
  readonly name?: string;
  text?: string | string[];
  data?: Record<string, string | string[]>;
  metadata?: Record<string, unknown>;
  readonly execution_count?: number | null;
  readonly ename?: string;
  readonly evalue?: string;
  readonly traceback?: string[];
}

/** A cell. */
export interface Cell {
  readonly cell_type: "code" | "markdown" | "raw";
  readonly id?: string;
  readonly metadata: Record<string, unknown>;
  source: string | string[];
  outputs?: Output[];
  execution_count?: number | null;
}

/** A notebook. */
export interface NotebookFile {
  readonly cells: Cell[];
  readonly metadata: Record<string, unknown>;
  readonly nbformat: number;
  readonly nbformat_minor: number;
}

/** A multi-line text as one. */
export function joined(text: string | readonly string[] | undefined): string {
  return typeof text === "object" ? text.join("") : text ?? "";
}

/** A text as Jupyter saves it: lines with their ends. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Reads a notebook. */
export async function readNotebook(path: string): Promise<NotebookFile> {
  const notebook = JSON.parse(await Deno.readTextFile(path)) as NotebookFile;
  if (notebook.nbformat === 4 && Array.isArray(notebook.cells)) return notebook;
  throw new SyntaxError(
    `Cannot read "${path}": expected a notebook of nbformat 4 but received ${notebook.nbformat}`,
  );
}

/** Writes a notebook as Jupyter does, so that an editor's own saving changes nothing. */
export async function writeNotebook(path: string, notebook: NotebookFile): Promise<void> {
  const text = `${JSON.stringify(notebook, undefined, 1)}\n`;
  await writeFileAtomic(path, [new TextEncoder().encode(text)]);
}

/** The code cells with their number among all cells, from 1 on. */
export function codeCells({ cells }: NotebookFile): { cell: Cell; number: number }[] {
  return cells.map((cell, i) => ({ cell, number: i + 1 }))
    .filter(({ cell }) => cell.cell_type === "code" && joined(cell.source).trim() !== "");
}

/** Texts as lines, pictures as they are. */
function savedData(data: Readonly<Record<string, unknown>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => [
      type,
      type.startsWith("text/") || type === "image/svg+xml"
        ? linesOf(String(value))
        : value as string,
    ]),
  );
}

/** Collects what a kernel says about a cell, as a front end would. */
export function createOutputs(): { readonly outputs: Output[]; add(message: Message): void } {
  const outputs: Output[] = [];
  const live = new Map<string, Output>();
  return {
    outputs,
    add({ type, content }) {
      switch (type) {
        case "stream": {
          const last = outputs.at(-1);
          const joins = last?.output_type === "stream" && last.name === content.name;
          const text = linesOf((joins ? joined(last.text) : "") + content.text);
          if (joins) last.text = text;
          else outputs.push({ output_type: "stream", name: content.name, text });
          break;
        }
        case "display_data": {
          const { data, metadata, transient } = content;
          const output: Output = { output_type: type, data: savedData(data), metadata };
          if (transient?.display_id) live.set(transient.display_id, output);
          outputs.push(output);
          break;
        }
        case "update_display_data": {
          const output = live.get(content.transient?.display_id);
          if (!output) break; // of another cell: the front end would change it there
          output.data = savedData(content.data);
          output.metadata = content.metadata;
          break;
        }
        case "execute_result": {
          const { data, metadata, execution_count } = content;
          outputs.push({ output_type: type, data: savedData(data), metadata, execution_count });
          break;
        }
        case "error":
          outputs.push({ output_type: type, ...content });
      }
    },
  };
}

/** What kinds of output a cell has: `image/png`, `stream`, `error`. */
export function kindsOf(outputs: readonly Output[] = []): string[] {
  const kinds = outputs.map(({ output_type, data }) =>
    data ? Object.keys(data).find((type) => type !== "text/plain") ?? "text/plain" : output_type
  );
  return [...new Set(kinds)].sort();
}
