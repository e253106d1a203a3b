import { type DeviceReport, listDevices } from "../../mod.ts";
import { defineCommand } from "../command.ts";

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** The lines of one device. */
function deviceLines(report: DeviceReport): string[] {
  const { engine, device, ready, description, adapter, matmulGflops, convGflops, verdict } = report;
  const speed = matmulGflops === undefined || convGflops === undefined
    ? ""
    : `matmul ${matmulGflops.toPrecision(3)}, conv ${convGflops.toPrecision(3)} GFLOP/s; `;
  return [
    `${ready ? "+" : "-"} --engine ${engine} --device ${device}`,
    `    ${description}`,
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

/** Lists what the machine can compute on. */
export const devicesCommand = defineCommand({
  summary: "List what this machine can compute on, measured for a few seconds",
  options: {
    seconds: { type: "number", value: "S", help: "per measurement", default: 1, minimum: 0 },
    json: { type: "flag", help: "print every device as a line of JSON" },
  },
  examples: {
    "deno task devices": "engines, devices, adapters, limits, speeds",
    "deno task devices --seconds 0": "what is there, without measuring",
  },
  async run({ seconds, json }, { terminal, signal }) {
    for await (const report of listDevices({ seconds })) {
      if (json) terminal.print(JSON.stringify(report));
      else for (const line of deviceLines(report)) terminal.print(line);
      signal.throwIfAborted();
    }
  },
});
