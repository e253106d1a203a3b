import assert from "node:assert/strict";
import { join } from "node:path";
import { openReportFolder } from "../../io/report_folder.ts";

Deno.test("openReportFolder() writes into new folders and over earlier reports only", async () => {
  const folder = await Deno.makeTempDir({ prefix: "haarlem-report-" });
  try {
    const dir = join(folder, "deep", "report");
    const report = await openReportFolder(dir, "mark.json");
    await report.write("mark.json", "{}");
    const path = await report.write("pictures/one.png", Uint8Array.of(1, 2));
    assert.equal(path, join(dir, "pictures", "one.png"));
    assert.deepEqual(await Deno.readFile(path), Uint8Array.of(1, 2));

    const again = await openReportFolder(dir, "mark.json");
    await again.write("mark.json", "[]");
    assert.equal(await Deno.readTextFile(join(dir, "mark.json")), "[]");

    await assert.rejects(openReportFolder(join(folder, "deep"), "mark.json"), {
      message: `Cannot write a report into ${
        JSON.stringify(join(folder, "deep"))
      }: expected an empty folder or an earlier report but received one with "report"; use another --out`,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
