import { openOnce } from './open-once.ts';

/** A Lambda handler that only a schedule calls. Dependencies are opened on the first tick, not on import. */
export function clockHandler<Deps, Done>(
  open: () => Deps | Promise<Deps>,
  tick: (deps: Deps) => Promise<Done>,
): () => Promise<Done> {
  const opened = openOnce(open);
  return async () => tick(await opened());
}
