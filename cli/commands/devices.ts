import {
  candidateName,
  type DeviceCandidate,
  deviceCandidates,
  type DeviceReport,
  deviceVerdict,
  tryDevice,
} from "../../mod.ts";
import { type Command, defineCommand, type Options, UsageError } from "../command.ts";

const options = {
  seconds: { type: "number", value: "S", help: "of measuring, per device", default: 5, minimum: 0 },
  only: {
    type: "text",
    value: "E/D",
    help: "one engine and device, for instance onnx/webgpu or openvino/cpu/bf16",
  },
  json: { type: "flag", help: "print every device and its verdict as a line of JSON" },
} as const satisfies Options;

/** Tries one device somewhere else; gives a line of JSON, or what went wrong. */
export type TryElsewhere = (
  only: string,
  seconds: number,
  signal: AbortSignal,
) => Promise<{ readonly output: string; readonly problem: string }>;

const short = (gflops: number) => String(Number(gflops.toPrecision(3)));
const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** What is missing, without what the line above says: `needs OpenVINO in the active ...`. */
const needs = (description: string) =>
  description.replace(/^Cannot create the engine "\w+"(?: on "\w+")?: expected /, "needs ");

/** How a candidate is chosen on the command line. */
const flagsOf = ({ engine, device, precision }: DeviceCandidate) =>
  `--engine ${engine} --device ${device}${precision ? ` --precision ${precision}` : ""}`;

/** Which device to take, once all were measured. */
function summary(reports: readonly DeviceReport[]): string[] {
  const measured = reports.filter(({ convGflops, adapter }) =>
    convGflops !== undefined && !adapter?.software
  );
  const [first] = measured;
  if (!first || measured.length < 2) return [];
  const best = measured.reduce((a, b) => b.convGflops! >= 1.1 * a.convGflops! ? b : a);
  const ratio = (best.convGflops! / first.convGflops!).toPrecision(2);
  const words = best === first ? "the default" : `${ratio} times the default`;
  return [`fastest here: ${flagsOf(best)}, ${words}`];
}

/** What the others are compared with; nothing if the default was not tried. */
function defaultSpeed(reports: readonly DeviceReport[]): number | undefined {
  const first = candidateName(deviceCandidates[0]!);
  return reports.find((report) => candidateName(report) === first)?.convGflops;
}

/** The lines of one device. */
function deviceLines(report: DeviceReport, verdict: string): string[] {
  const { ready, description, adapter, matmulGflops, convGflops } = report;
  const speed = matmulGflops === undefined || convGflops === undefined
    ? ""
    : `matmul ${short(matmulGflops)}, conv ${short(convGflops)} GFLOP/s; `;
  return [
    `${ready ? "+" : "-"} ${flagsOf(report)}`,
    `    ${ready ? description : needs(description)}`,
    ...adapter && ready
      ? [
        `    limits: buffer ${megabytes(adapter.maxBufferBytes)}, binding ${
          megabytes(adapter.maxBindingBytes)
        }`,
      ]
      : [],
    ...ready ? [`    ${speed}${verdict}`] : [],
  ];
}

/** Each device in a process of its own: a driver may end it, and two may not get on. */
const inProcess: TryElsewhere = async (only, seconds, signal) => {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      Deno.mainModule,
      "devices",
      `--only=${only}`,
      `--seconds=${seconds}`,
      "--json",
    ],
    stdin: "null",
    signal,
  });
  const { stdout, stderr, success, signal: killed } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  const problem = success ? "" : killed ?? text(stderr).split("\n").at(-1)!;
  return { output: text(stdout), problem };
};

/** Makes the command; tests try devices in their own way. */
export function createDevicesCommand(
  elsewhere: TryElsewhere = inProcess,
  here: typeof tryDevice = tryDevice,
): Command<typeof options> {
  const tryOne = async (
    candidate: DeviceCandidate,
    seconds: number,
    signal: AbortSignal,
  ): Promise<DeviceReport> => {
    const { output, problem } = await elsewhere(candidateName(candidate), seconds, signal);
    if (!problem) return JSON.parse(output.split("\n").at(-1)!);
    const { engine, device } = candidate;
    const description =
      `Cannot try the engine "${engine}" on "${device}": expected its process to end well but received ${problem}`;
    return { ...candidate, ready: false, description };
  };
  return defineCommand({
    summary: "List what this machine can compute on, measured for a few seconds",
    description:
      "Tries every engine on every device and says what is missing where one cannot be used.",
    options,
    examples: {
      "deno task devices": "engines, devices, adapters, limits, speeds",
      "deno task devices --seconds 0": "what is there, without measuring",
    },
    async run({ seconds, only, json }, { terminal, signal }) {
      const chosen = deviceCandidates.filter((candidate) =>
        only === undefined || only === candidateName(candidate)
      );
      if (chosen.length === 0) {
        const names = deviceCandidates.map((candidate) => `"${candidateName(candidate)}"`);
        throw new UsageError(
          `Cannot try a device: expected --only to be one of ${
            names.join(", ")
          } but received "${only}"`,
        );
      }
      const reports: DeviceReport[] = [];
      for (const candidate of chosen) {
        const report = only === undefined
          ? await tryOne(candidate, seconds, signal)
          : await here(candidate, { seconds });
        reports.push(report);
        const reference = defaultSpeed(reports);
        const verdict = deviceVerdict(report, reference);
        if (json) terminal.print(JSON.stringify({ ...report, verdict }));
        else for (const line of deviceLines(report, verdict)) terminal.print(line);
        signal.throwIfAborted();
      }
      if (!json) { for (const line of summary(reports)) terminal.print(line); }
    },
  });
}

/** Lists what the machine can compute on. */
export const devicesCommand = createDevicesCommand();
