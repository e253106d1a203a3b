import { join } from "node:path";

/** Files that PyTorch's own tools download, by what they hold. */
const FILES = {
  vgg16: "vgg16-397923af.pth",
  inception: "pt_inception-2015-12-05-6726825d.pth",
} as const;

/** A frozen network whose weights other programs may have left on this machine. */
export type CachedNetwork = keyof typeof FILES;

/** Where torchvision and pytorch-fid keep the weights of a network: `TORCH_HOME` or its default. */
export function torchCachePath(network: CachedNetwork): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".", ".cache");
  const home = Deno.env.get("TORCH_HOME") ?? join(cache, "torch");
  return join(home, "hub", "checkpoints", FILES[network]);
}

/** The path of that file if it is there. */
export async function findInTorchCache(network: CachedNetwork): Promise<string | undefined> {
  const path = torchCachePath(network);
  try {
    return (await Deno.stat(path)).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}
