/** A notebook, or none, that only remembers what it was told to show. */
import type { Kernel, MimeBundle } from "../../display/kernel.ts";
import type { Surroundings } from "../../display/surroundings.ts";

/** What was shown, in order. */
export interface Record {
  readonly call: "add" | "update" | "warn" | "print" | "write" | "sleep";
  readonly id?: string | undefined;
  readonly bundle?: MimeBundle;
  readonly text?: string;
  readonly path?: string;
}

/** Surroundings whose clock is moved by hand. */
export function fakeSurroundings({ isNotebook }: { readonly isNotebook: boolean }) {
  const records: Record[] = [];
  const clock = { ms: 0 };
  const kernel: Kernel = {
    add: (bundle, id) => Promise.resolve(void records.push({ call: "add", bundle, id })),
    update: (bundle, id) => Promise.resolve(void records.push({ call: "update", bundle, id })),
    warn: (text) => Promise.resolve(void records.push({ call: "warn", text })),
  };
  const surroundings: Surroundings = {
    kernel: isNotebook ? kernel : undefined,
    theme: "light",
    folder: "shown",
    print: (text) => records.push({ call: "print", text }),
    write: (path) => Promise.resolve(void records.push({ call: "write", path })),
    now: () => clock.ms,
    sleep: (ms) => Promise.resolve(void records.push({ call: "sleep", text: String(ms) })),
  };
  const lines = () => records.filter(({ call }) => call === "print").map(({ text }) => text);
  const paths = () => records.filter(({ call }) => call === "write").map(({ path }) => path);
  const outputs = () => records.filter(({ call }) => call === "add" || call === "update");
  return { surroundings, records, clock, lines, paths, outputs };
}
