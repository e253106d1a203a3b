import type { Python } from "./inspect_python.ts";
import { lastLine } from "./last_line.ts";

/** pip's words where no index answers: it retries, and then says that there is no such package. */
const UNREACHED =
  /connection broken by|Max retries exceeded|Failed to establish|name resolution|timed out|not a trusted or secure host/;

/** What pip's failure means, as the end of an error: rule, what was found, remedy. */
export function pipProblem(
  text: string,
  { wanted, base }: {
    readonly wanted: string;
    readonly base: Pick<Python, "version" | "platform">;
  },
): string {
  if (/No module named pip/.test(text)) {
    return `pip in Python ${base.version} but found none; install it with \`apt-get install python3-pip python3-venv\`, or name another Python with --python`;
  }
  if (/No space left on device/.test(text)) {
    return `room for ${wanted} but the disk is full; free some, or name another folder in HAARLEM_NATIVE`;
  }
  const offered = /\(from versions: (.*)\)/.exec(text)?.[1];
  const isNone = offered === undefined || offered === "none";
  if (isNone && UNREACHED.test(text)) {
    return `pip to reach a package index for ${wanted} but none answered; check the network and the index that \`pip config list\` names, or name a Python that has TensorFlow with --python`;
  }
  if (offered !== undefined) {
    const newest = isNone ? "" : `, of others up to ${offered.split(", ").at(-1)}`;
    return `a package of ${wanted} for Python ${base.version} on ${base.platform} but pip finds none${newest}; name another version with --tensorflow or another Python with --python`;
  }
  return `pip to install ${wanted} but received ${
    lastLine(text)
  }; mend that, or name a Python that has TensorFlow with --python`;
}
