import { fileURLToPath } from "node:url";
import { type Command, defineCommand, type Options } from "../command.ts";

/** Other programs, so that tests can do without them. */
export interface Programs {
  /** Runs a program to its end; `undefined` if there is none of that name. */
  output(
    name: string,
    args: readonly string[],
  ): Promise<{ readonly success: boolean; readonly text: string } | undefined>;
  /** Runs a program on this terminal until it ends or the signal is aborted. */
  attach(name: string, args: readonly string[], signal: AbortSignal): Promise<void>;
}

/* What Jupyter calls its front ends, best first. */
const FRONT_ENDS = { "JupyterLab": "jupyter-lab", "Jupyter Notebook": "jupyter-notebook" } as const;

const HOW_TO_GET_ONE =
  "No JupyterLab was found: get one with `uv tool install jupyterlab` or `pipx install jupyterlab`, or open notebooks/ in VS Code, and choose the kernel Deno";

const FOLDER = new URL("../../notebooks/", import.meta.url);
const notebooks = FOLDER.protocol === "file:" ? fileURLToPath(FOLDER) : ".";

const options = {
  "kernel-only": { type: "flag", help: "install the kernel and open nothing" },
} as const satisfies Options;

async function installKernel({ output }: Programs, print: (line: string) => void): Promise<void> {
  const installed = await output(Deno.execPath(), ["jupyter", "--quiet", "--install"]);
  if (installed?.success) return print("Installed Deno's Jupyter kernel for this user");
  const text = installed?.text ?? "";
  if (/already exists/.test(text)) return print("Deno's Jupyter kernel is installed already");
  throw new Error(
    `Cannot install Deno's Jupyter kernel: expected "deno jupyter --install" to succeed but received "${text.trim()}"`,
  );
}

/** Makes the command that installs the kernel and opens the notebooks. */
export function createNotebookCommand(programs: Programs): Command<typeof options> {
  return defineCommand({
    summary: "Install Deno's Jupyter kernel and open the notebooks",
    options,
    examples: { "deno task notebook": "opens JupyterLab or Jupyter Notebook in notebooks/" },
    async run({ "kernel-only": kernelOnly }, { terminal, signal }) {
      await installKernel(programs, terminal.print);
      if (kernelOnly) return;
      for (const [name, program] of Object.entries(FRONT_ENDS)) {
        const found = await programs.output(program, ["--version"]);
        if (!found?.success) continue;
        terminal.print(`Opening ${notebooks} in ${name} ${found.text.trim()}`);
        return await programs.attach(program, [notebooks], signal);
      }
      terminal.print(HOW_TO_GET_ONE);
    },
  });
}

const decoder = new TextDecoder();

/** Installs the kernel and opens the notebooks. */
export const notebookCommand: Command<typeof options> = createNotebookCommand({
  async output(name, args) {
    try {
      const command = new Deno.Command(name, { args: [...args], stdin: "null" });
      const { success, stdout, stderr } = await command.output();
      return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async attach(name, args, signal) {
    const child = new Deno.Command(name, { args: [...args] }).spawn();
    const end = () => child.kill("SIGTERM");
    signal.addEventListener("abort", end);
    await child.status;
    signal.removeEventListener("abort", end);
  },
});
