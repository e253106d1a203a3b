import assert from "node:assert/strict";
import { isRemote, withDownload } from "../../io/download.ts";
import { loadGenerator } from "../../pipelines/load_generator.ts";

/** Serves the golden files on this machine; `use` gets the address of their folder. */
async function served(use: (url: string) => Promise<void>): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const name = new URL(request.url).pathname.slice(1);
    const file = new URL(`../golden/${name}`, import.meta.url);
    return await Deno.readFile(file).then(
      (bytes) => new Response(bytes),
      () => new Response("none", { status: 404 }),
    );
  });
  try {
    await use(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("loadGenerator() takes the URL of a file", async () => {
  await served(async (url) => {
    const own = await loadGenerator(new URL("../golden/rosinality.pt", import.meta.url));
    assert.deepEqual(await loadGenerator(`${url}/rosinality.pt?version=1`), own);
  });
});

Deno.test("withDownload() removes what it lent, and says what is not there", async () => {
  await served(async (url) => {
    let lent = "";
    await withDownload(`${url}/README.md`, async (path) => {
      lent = path;
      assert.match(path, /README\.md$/);
      assert.ok((await Deno.stat(path)).size > 0);
    });
    await assert.rejects(Deno.stat(lent), Deno.errors.NotFound);
    await assert.rejects(withDownload(`${url}/missing.pt`, () => Promise.resolve()), {
      message: `Cannot download "${url}/missing.pt": expected a file but received status 404`,
    });
  });
});

Deno.test({
  name: "withDownload() says that a process without network cannot",
  permissions: { net: false },
  async fn() {
    await assert.rejects(withDownload("http://127.0.0.1/a.pt", () => Promise.resolve()), {
      message:
        'Cannot download "http://127.0.0.1/a.pt": expected a file but received no permission to use the network, which the commands have not; save it first',
    });
  },
});

Deno.test("isRemote() tells addresses from paths", () => {
  assert.deepEqual(
    ["https://a/b.pt", "http://a", "file:///a.pt", "a.pt", "C:\\\\a.pt"].map(isRemote),
    [true, true, false, false, false],
  );
});
