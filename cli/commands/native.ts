import { buildNativeAddon, removeNativeAddon } from "../../mod.ts";
import { defineCommand } from "../command.ts";

/** Builds the native backend of the engine `tfjs`. */
export const nativeCommand = defineCommand({
  summary: "Build the native TensorFlow backend of the engine tfjs",
  description:
    "Compiles the addon of npm:@tensorflow/tfjs-node-gpu from the source in that package against the TensorFlow that pip installs: the active Python environment's, or one that is installed beside the addon in .cache/native. Afterwards --engine tfjs uses it. Needs Python 3 with venv and a C++ compiler. Safe to run again, also after it was interrupted.",
  options: {
    cuda: { type: "flag", help: "against TensorFlow with CUDA, for NVIDIA's GPUs" },
    tensorflow: {
      type: "text",
      value: "VERSION",
      help: "the version of TensorFlow; default: the active one, else 2.21.0",
    },
    python: { type: "text", value: "PATH", help: "a Python, or the folder of an environment" },
    remove: { type: "flag", help: "remove the addon and what was installed for it" },
  },
  examples: {
    "deno task native": "on the CPU, about 100 times faster than JavaScript",
    "deno task native --cuda": "on an NVIDIA GPU",
    "deno task native --remove": "back to JavaScript",
  },
  async run({ cuda, tensorflow, python, remove }, { terminal, signal }) {
    if (remove) {
      const removed = await removeNativeAddon();
      return terminal.print(
        removed ? "Removed the native TensorFlow addon" : "There is no native TensorFlow addon",
      );
    }
    await buildNativeAddon({
      cuda,
      signal,
      report: terminal.warn,
      ...tensorflow !== undefined && { tensorflow },
      ...python !== undefined && { python },
    });
    terminal.print("The engine tfjs now uses it: try `deno task devices`");
  },
});
