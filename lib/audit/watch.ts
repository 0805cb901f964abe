import type { Protector } from '../identity/protect.ts';
import type { Brand } from '../platform/brand.ts';
import { type Clock, toIso } from '../platform/clock.ts';
import { ConflictError } from '../platform/errors.ts';
import type { Table } from '../platform/table.ts';
import { appendAudit } from './append.ts';
import { LOOK_BACK_MS, type OddUse, oddUse } from './odd-use.ts';
import { auditStore } from './store.ts';

export interface WatchDeps {
  readonly table: Table;
  readonly protector: Pick<Protector, 'digest'>;
  readonly brand: Pick<Brand, 'name' | 'timezone' | 'privacy'>;
  readonly now: Clock;
  /** Where a line of the log goes. */
  readonly log: (line: string) => void;
}

/** Where the metric stands that an alarm watches; its one dimension is the brand. */
export const METRICS = { namespace: 'Siyu', oddUse: 'OddUse' } as const;

/**
 * A look at the log, every few minutes: what is odd is counted for the alarm and kept, then all is held fast. The
 * anchor's hash goes to the function's own log: there it is out of the reach of whoever may write to the table.
 */
export async function watchAudit(
  deps: WatchDeps,
): Promise<{ readonly odd: number; readonly anchor?: number }> {
  const { brand, now, log } = deps;
  const store = auditStore(deps);
  const entries = await store.latest(toIso(now() - LOOK_BACK_MS));
  const odd = oddUse(entries, brand, now());
  for (const it of odd) {
    const { who, ...details } = it;
    log(JSON.stringify(metricOf(it, brand.name, now())));
    await appendAudit(deps, { what: 'odd_use', who: 'watch', on: 'clock', details: { ...details, of: who } });
  }
  const anchored = await store.anchor().catch((error: unknown) => {
    if (error instanceof ConflictError) return undefined;
    throw error;
  });
  if (!anchored) return { odd: odd.length };
  log(JSON.stringify({ level: 'info', event: 'audit_anchored', n: anchored.n, hash: anchored.hash }));
  return { odd: odd.length, anchor: anchored.n };
}

/** One line that CloudWatch reads as a metric (EMF). It names a key and what was odd, and nobody. */
function metricOf({ kind, key, count }: OddUse, brand: string, at: number) {
  return {
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: METRICS.namespace,
          Dimensions: [['Brand']],
          Metrics: [{ Name: METRICS.oddUse, Unit: 'Count' }],
        },
      ],
    },
    Brand: brand,
    [METRICS.oddUse]: 1,
    event: 'odd_use',
    ...{ kind, key, count },
  };
}
