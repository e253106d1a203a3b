import { fileURLToPath } from "node:url";

/** The folder of this project's notebooks. */
export const NOTEBOOKS: string = fileURLToPath(new URL("../../notebooks/", import.meta.url));

/** The notebooks that are named, or all of this project in their order. */
export async function findNotebooks(named: readonly string[]): Promise<string[]> {
  if (named.length > 0) return await Promise.all(named.map((path) => Deno.realPath(path)));
  const names = await Array.fromAsync(Deno.readDir(NOTEBOOKS), ({ name }) => name);
  return names.filter((name) => name.endsWith(".ipynb")).sort().map((name) => NOTEBOOKS + name);
}
