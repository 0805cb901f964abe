/**
 * Opens a handler's dependencies on its first call, not on import, and keeps them; if that fails (a secret that cannot
 * be read now), again on the next.
 */
export function openOnce<Deps>(open: () => Deps | Promise<Deps>): () => Promise<Deps> {
  let deps: Promise<Deps> | undefined;
  return () => {
    deps ??= (async () => open())();
    deps.catch(() => {
      deps = undefined;
    });
    return deps;
  };
}
