/**
 * ZMTP 3.0 with the NULL mechanism: what a Jupyter client needs of ZeroMQ, over plain TCP.
 *
 * Source: ZeroMQ RFC 23, https://rfc.zeromq.org/spec/23/.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Flags of a frame. */
const MORE = 1, LONG = 2, COMMAND = 4;
const GREETING_BYTES = 64;

/** A connected socket that sends and receives messages of several frames. */
export interface ZmtpSocket {
  send(frames: readonly Uint8Array[]): Promise<void>;
  /** The next message; rejects when the other side is gone. */
  receive(): Promise<Uint8Array[]>;
  close(): void;
}

/** Joins byte arrays. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A frame on the wire: flags, length (one byte or eight), content. */
export function encodeFrame(content: Uint8Array, flags = 0): Uint8Array {
  if (content.length <= 255) return concatBytes([Uint8Array.of(flags, content.length), content]);
  const header = new Uint8Array(9);
  header[0] = flags | LONG;
  new DataView(header.buffer).setBigUint64(1, BigInt(content.length));
  return concatBytes([header, content]);
}

/** Signature, version 3.0, mechanism NULL, not a server. */
function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(encoder.encode("NULL"), 12);
  return bytes;
}

/** The command that says which kind of socket this is. */
function readyCommand(socketType: string): Uint8Array {
  const value = encoder.encode(socketType);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, value.length);
  const named = (text: string) => concatBytes([Uint8Array.of(text.length), encoder.encode(text)]);
  return concatBytes([named("READY"), named("Socket-Type"), length, value]);
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

async function readExactly(connection: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let done = 0; done < count;) {
    const read = await connection.read(bytes.subarray(done));
    if (read === null) throw new Error("Cannot read from the kernel: its connection has ended");
    done += read;
  }
  return bytes;
}

async function readFrame(connection: Deno.Conn): Promise<{ flags: number; content: Uint8Array }> {
  const [flags] = await readExactly(connection, 1) as unknown as [number];
  const header = await readExactly(connection, flags & LONG ? 8 : 1);
  const length = flags & LONG ? Number(new DataView(header.buffer).getBigUint64(0)) : header[0]!;
  return { flags, content: await readExactly(connection, length) };
}

/** Connects to a port of this machine as a socket of a type: DEALER, SUB. */
export async function connectZmtp(port: number, socketType: string): Promise<ZmtpSocket> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    connection.setNoDelay();
    await writeAll(connection, greeting());
    await readExactly(connection, GREETING_BYTES);
    await writeAll(connection, encodeFrame(readyCommand(socketType), COMMAND));
    await readFrame(connection); // the other side's READY
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    send: (frames) =>
      writeAll(
        connection,
        concatBytes(frames.map((frame, i) => encodeFrame(frame, i < frames.length - 1 ? MORE : 0))),
      ),
    async receive() {
      const message: Uint8Array[] = [];
      for (;;) {
        const { flags, content } = await readFrame(connection);
        if (flags & COMMAND) continue;
        message.push(content);
        if (!(flags & MORE)) return message;
      }
    },
    close: () => connection.close(),
  };
}
