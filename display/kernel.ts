/** What a display shows, by MIME type; a front end takes the richest that it knows. */
export interface MimeBundle {
  readonly data: Readonly<Record<string, string>>;
  /** Per MIME type: the size of a picture in units of the page. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The Jupyter kernel that this code runs in. */
export interface Kernel {
  /** Adds an output to the cell that runs; `id` makes it one that {@linkcode Kernel.update} finds. */
  add(bundle: MimeBundle, id?: string): Promise<void>;
  /** Changes an output in place, in whichever cell it is. */
  update(bundle: MimeBundle, id: string): Promise<void>;
  /** Writes to the cell's error stream. */
  warn(text: string): Promise<void>;
}

interface DenoJupyter {
  broadcast(type: string, content: unknown): Promise<void>;
}

/** Deno's Jupyter interface; reading it throws outside the kernel. */
function denoJupyter(): DenoJupyter | undefined {
  try {
    return (Deno as unknown as { readonly jupyter?: DenoJupyter }).jupyter;
  } catch {
    return undefined;
  }
}

/** The kernel that this code runs in; `undefined` in any other program. */
export function findKernel(): Kernel | undefined {
  const jupyter = denoJupyter();
  if (!jupyter) return undefined;
  const send = (type: string, { data, metadata = {} }: MimeBundle, id: string | undefined) =>
    jupyter.broadcast(type, {
      data,
      metadata,
      transient: id === undefined ? {} : { display_id: id },
    });
  return {
    add: (bundle, id) => send("display_data", bundle, id),
    update: (bundle, id) => send("update_display_data", bundle, id),
    warn: (text) => jupyter.broadcast("stream", { name: "stderr", text }),
  };
}
