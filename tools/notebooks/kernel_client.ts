/**
 * A client of Deno's Jupyter kernel: starts it, runs code in it, ends it. No Python is needed.
 *
 * Source: the Jupyter messaging protocol 5.3,
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html.
 *
 * @module
 */
import { concatBytes, connectZmtp, type ZmtpSocket } from "./zmtp.ts";

/** A message of the kernel. Its content depends on its type; this file only passes it on. */
export interface Message {
  readonly type: string;
  // deno-lint-ignore no-explicit-any -- JSON of the protocol
  readonly content: any;
}

/** What came of some code. */
export interface Reply {
  readonly status: "ok" | "error" | "aborted";
  readonly executionCount: number;
}

/** A kernel that runs. */
export interface KernelClient {
  /**
   * Runs code; `onMessage` gets its outputs, also those that the kernel sends after it said that it
   * was idle.
   *
   * @throws {Error} If it takes longer than `seconds`, or the kernel dies; it is of no more use then.
   */
  execute(
    code: string,
    options: { readonly seconds: number; onMessage(message: Message): void },
  ): Promise<Reply>;
  /** What a notebook's Stop does. */
  interrupt(): void;
  /** Ends the process. */
  shutdown(): Promise<void>;
}

/** How {@linkcode startKernel} starts. */
export interface KernelOptions {
  /** The notebook's folder. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Wire extends Message {
  readonly parentId: string | undefined;
}

/** Signs and reads messages of one session. */
interface Codec {
  encode(
    type: string,
    content: unknown,
  ): Promise<{ readonly id: string; readonly frames: Uint8Array[] }>;
  decode(frames: readonly Uint8Array[]): Wire;
}

const encoder = new TextEncoder(), decoder = new TextDecoder();
const DELIMITER = "<IDS|MSG>";
const START_SECONDS = 30;
/** Outputs that come after "idle" follow each other closer than this. */
const QUIET_MS = 60;
const SHUTDOWN_MS = 1000;

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What a promise gives, or `undefined` after so long. */
async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

async function createCodec(secret: string): Promise<Codec> {
  const session = crypto.randomUUID();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  return {
    async encode(type, content) {
      const id = crypto.randomUUID();
      const header = {
        "msg_id": id,
        session,
        username: "haarlem",
        date: new Date().toISOString(),
        "msg_type": type,
        version: "5.3",
      };
      const parts = [header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part)));
      const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, concatBytes(parts)));
      return {
        id,
        frames: [DELIMITER, signature.toHex()].map((x) => encoder.encode(x)).concat(parts),
      };
    },
    decode(frames) {
      const at = frames.findIndex((frame) => decoder.decode(frame) === DELIMITER);
      const [header, parent, , content] = frames.slice(at + 2, at + 6)
        .map((frame) => JSON.parse(decoder.decode(frame)));
      return { type: header.msg_type, parentId: parent.msg_id, content };
    },
  };
}

/** Ports that are free now. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

async function connectWhenUp(
  port: number,
  socketType: string,
  ended: () => boolean,
): Promise<ZmtpSocket> {
  const until = performance.now() + 1000 * START_SECONDS;
  for (;;) {
    try {
      return await connectZmtp(port, socketType);
    } catch (cause) {
      if (ended() || performance.now() > until) {
        throw new Error(
          `Cannot start the kernel: expected it to listen within ${START_SECONDS} s but received ${
            ended() ? "its end" : "no connection"
          }`,
          { cause },
        );
      }
      await delay(25);
    }
  }
}

/** Calls back for every message of a socket until it ends. */
async function listen(socket: ZmtpSocket, codec: Codec, onMessage: (message: Wire) => void) {
  try {
    for (;;) onMessage(codec.decode(await socket.receive()));
  } catch { /* the kernel has ended; `execute` says so */ }
}

/** A process, its sockets, and the requests that wait for an answer. */
interface Started {
  readonly process: Deno.ChildProcess;
  readonly codec: Codec;
  readonly sockets: { readonly shell: ZmtpSocket; readonly control: ZmtpSocket };
  readonly replies: Map<string, (reply: Wire) => void>;
  readonly outputs: Map<string, (output: Wire) => void>;
  stop(): Promise<void>;
}

async function start({ cwd, env = {} }: KernelOptions): Promise<Started> {
  const secret = crypto.randomUUID();
  const codec = await createCodec(secret);
  const [shell, iopub, stdin, control, heartbeat] = freePorts(5);
  const folder = await Deno.makeTempDir({ prefix: "haarlem-kernel-" });
  const path = `${folder}/connection.json`;
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      ip: "127.0.0.1",
      transport: "tcp",
      key: secret,
      "signature_scheme": "hmac-sha256",
      "shell_port": shell,
      "iopub_port": iopub,
      "stdin_port": stdin,
      "control_port": control,
      "hb_port": heartbeat,
    }),
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--quiet", "--kernel", "--conn", path],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  let hasEnded = false;
  process.status.then(() => hasEnded = true);
  const opened: ZmtpSocket[] = [];
  const stop = async () => {
    if (!hasEnded) process.kill("SIGKILL");
    await process.status;
    for (const socket of opened) socket.close();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    const open = async (port: number | undefined, type: string) => {
      const socket = await connectWhenUp(port!, type, () => hasEnded);
      opened.push(socket);
      return socket;
    };
    const sockets = { shell: await open(shell, "DEALER"), control: await open(control, "DEALER") };
    const publisher = await open(iopub, "SUB");
    await publisher.send([Uint8Array.of(1)]); // subscribes to everything
    const [replies, outputs] = [new Map(), new Map()];
    for (const socket of Object.values(sockets)) {
      listen(socket, codec, (reply) => replies.get(reply.parentId)?.(reply));
    }
    listen(publisher, codec, (output) => outputs.get(output.parentId)?.(output));
    return { process, codec, sockets, replies, outputs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts Deno's kernel in a folder; the deno.json above it applies, as in a notebook. */
export async function startKernel(options: KernelOptions): Promise<KernelClient> {
  const { process, codec, sockets, replies, outputs, stop } = await start(options);

  const request = async (socket: ZmtpSocket, type: string, content: unknown) => {
    const { id, frames } = await codec.encode(type, content);
    const reply = new Promise<Wire>((resolve) => replies.set(id, resolve));
    return { id, reply, send: () => socket.send(frames) };
  };

  return {
    async execute(code, { seconds, onMessage }) {
      const { id, reply, send } = await request(sockets.shell, "execute_request", {
        code,
        silent: false,
        "store_history": true,
        "user_expressions": {},
        "allow_stdin": false,
        "stop_on_error": true,
      });
      let last = performance.now();
      const idle = new Promise<void>((resolve) =>
        outputs.set(id, ({ type, content }) => {
          last = performance.now();
          if (type === "status") {
            if (content.execution_state === "idle") resolve();
          } else onMessage({ type, content });
        })
      );
      await send();
      const failure = (text: string) => new Error(`Cannot run the cell: ${text}`);
      const death = process.status.then(({ code, signal }) => {
        throw failure(`the kernel ended with ${signal ?? `code ${code}`}`);
      });
      try {
        const done = Promise.race([Promise.all([reply, idle]), death]);
        const result = await within(done, 1000 * seconds);
        if (!result) throw failure(`expected at most ${seconds} s`);
        do await delay(QUIET_MS); while (performance.now() - last < QUIET_MS);
        const [{ content }] = result;
        return { status: content.status, executionCount: content.execution_count };
      } finally {
        replies.delete(id);
        outputs.delete(id);
      }
    },
    interrupt: () => process.kill("SIGINT"),
    async shutdown() {
      const { send } = await request(sockets.control, "shutdown_request", { restart: false });
      await send().catch(() => {}); // it may be dead already
      await within(process.status, SHUTDOWN_MS); // a cell that still runs does not let it
      await stop();
    },
  };
}
