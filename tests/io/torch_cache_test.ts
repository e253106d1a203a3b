import assert from "node:assert/strict";
import { dirname } from "node:path";
import { findInTorchCache, torchCachePath } from "../../io/torch_cache.ts";

Deno.test("findInTorchCache() looks where PyTorch's tools keep weights", async () => {
  const before = Deno.env.get("TORCH_HOME");
  const folder = await Deno.makeTempDir({ prefix: "haarlem-torch-" });
  Deno.env.set("TORCH_HOME", folder);
  try {
    const path = `${folder}/hub/checkpoints/vgg16-397923af.pth`;
    assert.equal(torchCachePath("vgg16"), path);
    assert.equal(await findInTorchCache("vgg16"), undefined);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, "");
    assert.equal(await findInTorchCache("vgg16"), path);
    assert.equal(await findInTorchCache("inception"), undefined);
  } finally {
    if (before === undefined) Deno.env.delete("TORCH_HOME");
    else Deno.env.set("TORCH_HOME", before);
    await Deno.remove(folder, { recursive: true });
  }
});
