import assert from "node:assert/strict";
import { join } from "node:path";
import { readJsonFile, writeJsonFile } from "../../io/json_file.ts";

Deno.test("readJsonFile() gives what was written, nothing if there is no file, and says what is no JSON", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-json-" });
  try {
    const path = join(folder, "deep", "value.json");
    assert.equal(await readJsonFile(path), undefined);
    await writeJsonFile(path, { list: [1, "two"] });
    assert.deepEqual(await readJsonFile(path), { list: [1, "two"] });
    await Deno.writeTextFile(path, "[1,");
    await assert.rejects(readJsonFile(path), {
      name: "SyntaxError",
      message: `Cannot read "${path}": expected JSON but received "Unexpected end of JSON input"`,
    });
    await assert.rejects(readJsonFile(folder), { name: "IsADirectory" }); // not "no file"
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
