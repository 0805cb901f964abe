// The ledger of a run: what each function has asked of the services, and what AWS would charge for it.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const prices = z.strictObject({
  region: z.string(),
  currency: z.string(),
  date: z.string(),
  source: z.string(),
  perMillion: z.strictObject({
    httpRequests: z.number(),
    lambdaInvocations: z.number(),
    sqsRequests: z.number(),
    dynamodbWriteUnits: z.number(),
    dynamodbReadUnits: z.number(),
  }),
  lambdaPerGbSecondArm64: z.number(),
});
export type Prices = z.infer<typeof prices>;

/** The price list beside this file. */
export const readPrices = (file: URL = new URL('./prices.json', import.meta.url)): Prices =>
  prices.parse(JSON.parse(readFileSync(file, 'utf8')));

export interface DynamoCall {
  readonly operation: string;
  /** Which rows: the head of their keys, such as `P#@`; empty for what concerns no row. */
  readonly rows: string;
  readonly readUnits?: number;
  readonly writeUnits?: number;
  readonly indexWriteUnits?: number;
  /** Of the request and the reply. */
  readonly bytes: number;
  readonly conditionFailed?: boolean;
  readonly failed?: boolean;
}
export interface DynamoCounts {
  operation: string;
  rows: string;
  requests: number;
  readUnits: number;
  writeUnits: number;
  indexWriteUnits: number;
  bytes: number;
  failedConditions: number;
  errors: number;
  /** How many requests took how many units (of the table, not of its indexes). */
  units: Record<string, number>;
}
export interface SqsCounts {
  operation: string;
  queue: string;
  calls: number;
  messages: number;
  bytes: number;
  /** What is charged: one for each begun 64 KB of a call. Receives that found nothing are not among them. */
  requests: number;
}
export interface StageCounts {
  http: { requests: number; units: number; errors: number; bytes: number };
  lambda: { invocations: number; errors: number; billedMs: number; memoryMb: number; gbSeconds: number };
  sqs: SqsCounts[];
  dynamodb: DynamoCounts[];
}
export interface Dollars {
  http: number;
  lambda: number;
  sqs: number;
  dynamodb: number;
  total: number;
}
export interface LedgerReport {
  readonly since: string;
  readonly prices: Prices;
  readonly stages: Record<string, StageCounts & { dollars: Dollars }>;
  readonly total: {
    httpRequests: number;
    invocations: number;
    gbSeconds: number;
    sqsRequests: number;
    readUnits: number;
    /** Of the table and its indexes. */
    writeUnits: number;
    dollars: Dollars;
  };
}

const HTTP_UNIT = 512 * 1024;
const SQS_UNIT = 64 * 1024;

/** Units of a call to SQS: one for each begun 64 KB of what its messages hold together, at least one. */
export const sqsUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / SQS_UNIT));

/** Counts by function. Nobody reads the clock here: `now` says since when it counts. */
export function openLedger(now: () => number, price: Prices = readPrices()) {
  let stages = new Map<string, StageCounts>();
  let since = now();

  const stage = (name: string): StageCounts => {
    let counts = stages.get(name);
    if (!counts) {
      counts = {
        http: { requests: 0, units: 0, errors: 0, bytes: 0 },
        lambda: { invocations: 0, errors: 0, billedMs: 0, memoryMb: 0, gbSeconds: 0 },
        sqs: [],
        dynamodb: [],
      };
      stages.set(name, counts);
    }
    return counts;
  };

  return {
    /** One request to the HTTP API; 512 KB of request or reply are a unit. */
    http(name: string, status: number, bytesIn: number, bytesOut: number): void {
      const { http } = stage(name);
      http.requests += 1;
      http.units += Math.max(1, Math.ceil(bytesIn / HTTP_UNIT), Math.ceil(bytesOut / HTTP_UNIT));
      if (status >= 500) http.errors += 1;
      http.bytes += bytesIn + bytesOut;
    },

    /** One invocation: `ms` as it took here, rounded up to a millisecond, at the memory of the template. */
    lambda(name: string, ms: number, memoryMb: number, failed: boolean): void {
      const { lambda } = stage(name);
      const billed = Math.max(1, Math.ceil(ms));
      lambda.invocations += 1;
      lambda.billedMs += billed;
      lambda.memoryMb = memoryMb;
      lambda.gbSeconds += (billed / 1000) * (memoryMb / 1024);
      if (failed) lambda.errors += 1;
    },

    /** One call to SQS. @param free a receive that found nothing: it costs by the hour, not by the event */
    sqs(name: string, operation: string, queue: string, bytes: number, messages: number, free = false): void {
      const { sqs } = stage(name);
      let row = sqs.find((it) => it.operation === operation && it.queue === queue);
      if (!row) {
        row = { operation, queue, calls: 0, messages: 0, bytes: 0, requests: 0 };
        sqs.push(row);
      }
      row.calls += 1;
      row.messages += messages;
      row.bytes += bytes;
      if (!free) row.requests += sqsUnits(bytes);
    },

    dynamodb(name: string, call: DynamoCall): void {
      const { dynamodb } = stage(name);
      let row = dynamodb.find((it) => it.operation === call.operation && it.rows === call.rows);
      if (!row) {
        row = {
          operation: call.operation,
          rows: call.rows,
          requests: 0,
          readUnits: 0,
          writeUnits: 0,
          indexWriteUnits: 0,
          bytes: 0,
          failedConditions: 0,
          errors: 0,
          units: {},
        };
        dynamodb.push(row);
      }
      const units = (call.readUnits ?? 0) + (call.writeUnits ?? 0);
      row.requests += 1;
      row.readUnits += call.readUnits ?? 0;
      row.writeUnits += call.writeUnits ?? 0;
      row.indexWriteUnits += call.indexWriteUnits ?? 0;
      row.bytes += call.bytes;
      row.units[units] = (row.units[units] ?? 0) + 1;
      if (call.conditionFailed) row.failedConditions += 1;
      if (call.failed) row.errors += 1;
    },

    report: (): LedgerReport => reportOf(stages, new Date(since).toISOString(), price),

    reset(): void {
      stages = new Map();
      since = now();
    },
  };
}
export type Ledger = ReturnType<typeof openLedger>;

function reportOf(stages: ReadonlyMap<string, StageCounts>, since: string, price: Prices): LedgerReport {
  const total: LedgerReport['total'] = {
    httpRequests: 0,
    invocations: 0,
    gbSeconds: 0,
    sqsRequests: 0,
    readUnits: 0,
    writeUnits: 0,
    dollars: { http: 0, lambda: 0, sqs: 0, dynamodb: 0, total: 0 },
  };
  const million = 1_000_000;
  const named = [...stages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, counts]) => {
      const requests = counts.sqs.reduce((sum, row) => sum + row.requests, 0);
      const reads = counts.dynamodb.reduce((sum, row) => sum + row.readUnits, 0);
      const writes = counts.dynamodb.reduce((sum, row) => sum + row.writeUnits + row.indexWriteUnits, 0);
      const { http, lambda } = counts;
      const dollars = {
        http: (http.units * price.perMillion.httpRequests) / million,
        lambda:
          (lambda.invocations * price.perMillion.lambdaInvocations) / million +
          lambda.gbSeconds * price.lambdaPerGbSecondArm64,
        sqs: (requests * price.perMillion.sqsRequests) / million,
        dynamodb:
          (writes * price.perMillion.dynamodbWriteUnits + reads * price.perMillion.dynamodbReadUnits) /
          million,
        total: 0,
      };
      dollars.total = dollars.http + dollars.lambda + dollars.sqs + dollars.dynamodb;

      total.httpRequests += http.requests;
      total.invocations += lambda.invocations;
      total.gbSeconds += lambda.gbSeconds;
      total.sqsRequests += requests;
      total.readUnits += reads;
      total.writeUnits += writes;
      total.dollars.http += dollars.http;
      total.dollars.lambda += dollars.lambda;
      total.dollars.sqs += dollars.sqs;
      total.dollars.dynamodb += dollars.dynamodb;
      total.dollars.total += dollars.total;
      return [name, structuredClone({ ...counts, dollars })] as const;
    });
  return { since, prices: price, stages: Object.fromEntries(named), total };
}
