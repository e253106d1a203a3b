/**
 * `deno task bench`: times the training steps and images of our engines, and of peers, in one run and
 * in turn, and prints a table with ratios.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { threadWords } from "../engine/thread_words.ts";
import { compete } from "./compete.ts";
import { ableEntries, engineEntries, peerEntries } from "./entries.ts";
import { CEILINGS, KERNELS } from "./kernels.ts";
import { layerTable } from "./layers.ts";
import { removeLayerFolder } from "./peers/layer_folder.ts";
import { removeScenarioFolders } from "./peers/scenario_folder.ts";
import type { Result } from "./result.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { startTable } from "./start.ts";
import { resultsJson, summary, workloadLines } from "./summary.ts";
import { WORKLOADS } from "./workloads.ts";

const HELP = `Times training steps and images on our engines, in one run and in turn.

  --only TEXT      workloads whose name, or that of their sizes, has TEXT in it, or the one that is
                   called so, as in "avatars-64: distillation step"; may be repeated
  --engines LIST   onnx, openvino, openvino:bf16, tfjs; by default all but tfjs that can run here
  --openvino PATH  where OpenVINO is, if not in the active Python environment
  --layers         kernels and layers only, and how far each is from the machine's ceilings,
                   on one thread; with --peers beside the same layers of the PyTorch program
  --ceilings       the same for steps and images
  --start          first runs only: how long tracing, lowering and making sessions take; also of
                   networks that are too large to be run often
  --peers          the same steps as a PyTorch program, and images of our exported files in ONNX
                   Runtime and OpenVINO for Python; --python PATH says which Python has them
  --compile        with --peers: torch.compile too; it needs a C++ compiler, and minutes
  --threads N      by default all cores
  --rounds N       rounds of taking turns (5); one that takes over 10 s runs twice only
  --limit SECONDS  who takes longer to answer is left out (300)
  --processor      ratios of processor times, for a busy machine; with --threads 1, as threads that
                   wait for others take some too
  --json PATH      writes everything that was measured

Times are medians; a ratio is taken of the medians of each round: its median, least and most.
`;

const args = parseArgs(Deno.args, {
  string: ["only", "engines", "openvino", "python", "threads", "rounds", "limit", "json"],
  boolean: ["help", "ceilings", "compile", "layers", "peers", "processor", "start"],
  collect: ["only"],
});

async function main(): Promise<void> {
  if (args.help) return console.log(HELP);
  const limits = args.layers || args.ceilings;
  const threads = limits ? 1 : Number(args.threads ?? navigator.hardwareConcurrency);
  const rounds = args.start ? 0 : Number(args.rounds ?? 5);
  const limitSeconds = Number(args.limit ?? 300);
  const workloads = chosen();
  console.log(`${threadWords(threads)}, ${Deno.build.target}`);
  sayLoad();
  const entries = await ableEntries(
    [
      ...engineEntries({ ...args, threads }),
      ...args.peers ? peerEntries({ ...args, threads }) : [],
    ],
    limitSeconds,
    console.log,
  );
  console.log();
  const results: Result[] = [];
  const failures: string[] = [];
  const say = (line: string) => {
    failures.push(line);
    console.error(line);
  };
  for (const { scenario, workload } of workloads) {
    const made = await compete(entries, { scenario, workload, rounds, limitSeconds, say });
    results.push(...made);
    console.log(workloadLines(made).join("\n"));
  }
  const clock = args.processor ? "cpuMs" : "ms";
  const lines = limits
    ? layerTable(results)
    : args.start
    ? startTable(results)
    : summary(results, clock);
  console.log(`\n${lines.join("\n")}`);
  if (args.json) await Deno.writeTextFile(args.json, resultsJson(results, clock));
  if (failures.length) {
    console.log(`\nLeft out:\n${failures.join("\n")}`);
    Deno.exitCode = 1;
  }
}

/** What `--only`, `--layers` and `--ceilings` leave of all workloads. */
function chosen(): { scenario?: Scenario; workload: string }[] {
  const names = new Set(
    Object.keys(SCENARIOS).flatMap((size) =>
      Object.keys(WORKLOADS).map((name) => `${size}: ${name}`)
    ),
  );
  const wanted = (name: string) =>
    args.only.length === 0 ||
    args.only.some((text) => names.has(text) ? name === text : name.includes(text));
  const scenarios = Object.values(args.layers ? {} : SCENARIOS).filter(({ startOnly }) =>
    args.start || !startOnly
  );
  const steps = scenarios.flatMap((scenario) =>
    Object.keys(WORKLOADS).filter((name) => {
      const trains = name.endsWith("step") || name.includes("step ");
      return (scenario.batch > 0 || !trains) && wanted(`${scenario.name}: ${name}`);
    }).map((workload) => ({ scenario, workload }))
  );
  const alone = (workload: string) => ({ workload });
  const limits = args.layers || args.ceilings;
  const ceilings = Object.keys(CEILINGS).filter((name) => limits || wanted(name));
  const kernels = args.start || args.ceilings ? [] : Object.keys(KERNELS).filter(wanted);
  if (steps.length + kernels.length + (limits ? 0 : ceilings.length) === 0) {
    throw new Error(
      `Cannot bench ${
        args.only.map((text) => `"${text}"`).join(", ")
      }: expected part of a workload's name such as "avatars-64: student image" or "Haar" (ffhq-256 with --start only), but received none`,
    );
  }
  if (args.start) return steps;
  return [...ceilings.map(alone), ...steps, ...kernels.map(alone)];
}

function sayLoad(): void {
  const [load] = Deno.loadavg();
  if (load! <= 0.5 * navigator.hardwareConcurrency) return;
  console.log(
    `Other programs are running (load ${
      load!.toFixed(1)
    }): times are too long, and ratios are not those of a quiet machine`,
  );
}

try {
  await main();
} catch (error) {
  const { message } = error as Error;
  if (!message.startsWith("Cannot ")) throw error; // a fault of the bench
  console.error(message);
  Deno.exitCode = 1;
} finally {
  await removeScenarioFolders();
  await removeLayerFolder();
}
