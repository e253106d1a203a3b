/** The texts of the project say what is there. */
import assert from "node:assert/strict";
import { commands } from "../cli.ts";
import { models } from "../pipelines/models.ts";

const ROOT = new URL("../", import.meta.url);
const TEXTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/", "models/", "plugins/"];

async function readTexts(): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  async function read(path: string): Promise<void> {
    const url = new URL(path, ROOT);
    if (path.endsWith(".md")) texts[path] = await Deno.readTextFile(url);
    if (!path.endsWith("/")) return;
    const entries = await Array.fromAsync(Deno.readDir(url)).catch(() => []); // not made yet
    for (const { name, isDirectory } of entries) await read(path + name + (isDirectory ? "/" : ""));
  }
  for (const path of TEXTS) await read(path);
  return texts;
}

interface Task {
  readonly description?: string;
  readonly command: string;
}

const texts = await readTexts();
const { tasks, permissions } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT))) as {
  tasks: Record<string, Task>;
  permissions: Record<string, Record<string, boolean>>;
};

/** Links of a Markdown text to files of the repository that are not there. */
async function deadLinks(path: string, text: string): Promise<string[]> {
  const dead: string[] = [];
  for (const [, link] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (/^\w+:/.test(link!)) continue;
    const target = new URL(link!, new URL(path, ROOT));
    await Deno.stat(target).catch(() => dead.push(`${path}: ${link}`));
  }
  return dead;
}

/** Tasks that a text tells its reader to run, and that do not exist. */
function unknownTasks(path: string, text: string): string[] {
  return [...text.matchAll(/(?:deno|deno@[\d.]+) task ([a-z][\w:-]*)/g)]
    .filter(([, name]) => !Object.hasOwn(tasks, name!))
    .map(([, name]) => `${path}: ${name}`);
}

Deno.test("project: every link of a text leads to a file", async () => {
  const dead = await Promise.all(Object.entries(texts).map((entry) => deadLinks(...entry)));
  assert.deepEqual(dead.flat(), []);
  assert.deepEqual(await deadLinks("docs/x.md", "[a](decisions.md) [b](gone.md#part)"), [
    "docs/x.md: gone.md",
  ]);
});

Deno.test("project: every task of a text exists", () => {
  assert.deepEqual(Object.entries(texts).flatMap((entry) => unknownTasks(...entry)), []);
  const text = "npx -y deno@2.9.6 task tset and deno task ok";
  assert.deepEqual(unknownTasks("x.md", text), ["x.md: tset"]);
});

Deno.test("project: every task says what it does", () => {
  for (const [name, { description }] of Object.entries(tasks)) {
    assert.match(description ?? "", /^[A-Z].*[^.]$/, name);
  }
});

Deno.test("project: every command has a task of its name, with no more rights than it needs", () => {
  const starters = ["ablate", "devices", "native", "notebook"]; // they start programs
  for (const name of Object.keys(commands)) {
    const set = starters.includes(name) ? "spawn" : "compute";
    const flags = `-q -P=${set} --no-prompt --v8-flags=--max-semi-space-size=4`;
    assert.equal(tasks[name]?.command, `deno run ${flags} cli.ts ${name}`);
  }
  const { run, ...rest } = permissions["spawn"]!;
  assert.deepEqual([run, rest], [true, permissions["compute"]]);
  assert.equal(permissions["compute"]!["net"], undefined);
});

Deno.test("project: the package has the models that it names, and not what they were trained with", async () => {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  const files = [...new TextDecoder().decode(stderr).matchAll(/^\s+(file:\S+) \(/gm)]
    .map(([, file]) => file!);
  const named = Object.values(models).flatMap((model) => Object.values(model));
  assert.ok(named.length > 0 && files.includes(new URL("mod.ts", ROOT).href));
  assert.deepEqual(named.filter((file) => !files.includes(file)), []);
  assert.deepEqual(files.filter((file) => /\/(training|tests|bench)\//.test(file)), []);
});
