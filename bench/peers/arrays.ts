import type { Weights } from "../../core/contracts.ts";

/** Writes arrays where a peer can read them, index.json and data.bin, and returns the folder. */
export async function writeArrays(
  arrays: Weights,
  config: Readonly<Record<string, number>>,
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-bench-" });
  const size = Object.values(arrays).reduce((sum, { data }) => sum + data.length, 0);
  const all = new Float32Array(size);
  let offset = 0;
  const entries = Object.entries(arrays).map(([name, { shape, data }]) => {
    all.set(data, offset);
    offset += data.length;
    return { name, shape, offset: offset - data.length };
  });
  await Deno.writeTextFile(`${folder}/index.json`, JSON.stringify({ config, arrays: entries }));
  await Deno.writeFile(`${folder}/data.bin`, new Uint8Array(all.buffer));
  return folder;
}
