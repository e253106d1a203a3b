import { join } from "node:path";
import { writeFileAtomic } from "./atomic_write.ts";
import { quote } from "./describe.ts";

/** A folder that a report is written into. */
export interface ReportFolder {
  readonly dir: string;
  /** Writes a file, whole or not at all; returns its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
}

/**
 * Opens a folder for a report: empty, absent, or with an earlier report that is written over.
 *
 * @param mark The file that every such report has.
 * @throws {Error} If there is something else in it: it may be somebody's work.
 */
export async function openReportFolder(dir: string, mark: string): Promise<ReportFolder> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (names.length > 0 && !names.includes(mark)) {
    throw new Error(
      `Cannot write a report into ${
        quote(dir)
      }: expected an empty folder or an earlier report but received one with ${
        quote(names.sort()[0]!)
      }; use another --out`,
    );
  }
  return {
    dir,
    async write(name, content) {
      const path = join(dir, name);
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await writeFileAtomic(path, [bytes]);
      return path;
    },
  };
}
