// What was started and has to be stopped, the youngest first.

export interface Stoppable {
  stop(): Promise<unknown>;
}

export interface Lifetime {
  keep<T extends Stoppable>(it: T): T;
  /** Stops everything once, also what comes after something that could not be stopped. */
  end(): Promise<void>;
}

export function openLifetime(): Lifetime {
  const kept: Stoppable[] = [];
  return {
    keep(it) {
      kept.push(it);
      return it;
    },
    async end() {
      const errors: unknown[] = [];
      for (const it of kept.splice(0).reverse())
        await it.stop().catch((error: unknown) => {
          errors.push(error);
        });
      if (errors.length > 0) throw errors[0];
    },
  };
}
