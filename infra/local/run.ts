// A run: everything that a template asks for, alive in this process, behind one port.
import { randomBytes } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Clock } from '../../lib/platform/clock.ts';
import { DUE_INDEX, openTable } from '../../lib/platform/dynamo.ts';
import { keyring } from '../../lib/platform/keyring.ts';
import { sealedTable } from '../../lib/platform/sealed.ts';
import type { Item, Table } from '../../lib/platform/table.ts';
import { type Activity, activityOf, until } from './activity.ts';
import { startBacking } from './backing.ts';
import { openClock, type Walked } from './clock.ts';
import { localRoutes } from './control.ts';
import { openFunctions } from './functions.ts';
import { type Gateway, openGateway } from './http.ts';
import { keptTime } from './kept-clock.ts';
import { type LedgerReport, openLedger } from './ledger.ts';
import { type Lifetime, openLifetime } from './lifetime.ts';
import { listen } from './listen.ts';
import { type Plan, planOf, type SourcePlan, type TablePlan } from './plan.ts';
import type { LocalSecrets } from './secrets.ts';
import { openSource } from './sources.ts';
import { ACCOUNT } from './sqs.ts';
import { readTemplate } from './template.ts';
import { openTicker } from './ticker.ts';
import { openTimeline } from './timeline.ts';

export const REGION = 'us-east-1';

export interface StackOptions {
  readonly template: unknown;
  /** The folder that the template's assets are relative to. */
  readonly assembly: string;
  readonly stack: string;
  /** What stands in for the secrets that people would fill in. */
  readonly secrets?: LocalSecrets;
  /** 0 is any free port. */
  readonly port?: number;
  readonly host?: string;
  /** The folder that keeps tables, messages and the clock between runs. */
  readonly data?: string;
  /** Where the clock starts, in milliseconds since 1970; the real time unless given. */
  readonly clockAt?: number;
  /** Another DynamoDB in place of the embedded one. */
  readonly dynamodb?: string;
  /** Each line that a function writes, and each of its failures. */
  readonly log?: (name: string, line: string, failed: boolean) => void;
}

export interface Stack {
  readonly url: string;
  readonly plan: Plan;
  readonly clock: {
    readonly now: Clock;
    /** Walks forward through what falls due. One walk at a time. @throws RangeError if `to` lies behind */
    walkTo(to: number): Promise<Walked>;
  };
  /** The brand's table, past the ledger, opened with its keys if the template has a table of them. @throws if it has none, or more */
  table(): Table;
  /** Every row of the table. */
  rows(): AsyncIterable<Item>;
  ledger(): LedgerReport;
  resetLedger(): void;
  activity(): Activity;
  /** Resolves when all queues are empty and nothing runs. @throws NotIdleError after `timeoutMs` */
  idle(timeoutMs?: number): Promise<Activity>;
  stop(): Promise<void>;
}

/** The table that has the due index is the brand's, or the only one; another holds the keys of its rows. */
function brandTable(tables: readonly TablePlan[], client: DynamoDBClient): Table {
  const isBrands = ({ indexes }: TablePlan) =>
    tables.length === 1 || indexes.some(({ name }) => name === DUE_INDEX);
  const [own] = tables.filter(isBrands);
  const [keys, ...others] = tables.filter((it) => !isBrands(it));
  if (!own || others.length > 0)
    throw new Error(`the template has ${tables.length} tables, and not one brand's`);
  const table = openTable(own.name, client);
  return keys ? sealedTable(table, keyring(openTable(keys.name, client), randomBytes), randomBytes) : table;
}

/** Longer than any function may run, and what it sets off. */
const QUIET_MS = 20 * 60_000;

/** Starts a stack. @throws, with everything stopped again, if the template asks for what the run cannot do */
export async function startStack(options: StackOptions): Promise<Stack> {
  const lifetime = openLifetime();
  try {
    return await start(options, lifetime);
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function start(options: StackOptions, lifetime: Lifetime): Promise<Stack> {
  const { data, log = () => {}, port = 0, host } = options;
  const clock = openClock(options.clockAt ?? (data === undefined ? undefined : keptTime(data, Date.now())));
  const ledger = openLedger(clock.now);
  const backing = await startBacking({
    region: REGION,
    data,
    endpoint: options.dynamodb,
    ledger,
    lifetime,
  });

  // The port is taken before the template is read, because the template may say the API's address.
  let gateway: Gateway | undefined;
  let answerLocal: ReturnType<typeof localRoutes> | undefined;
  const door = lifetime.keep(
    await listen(
      async (request, response) => {
        try {
          if (await answerLocal?.(request, response)) return;
          if (gateway) return await gateway.answer(request, response);
          response.writeHead(503, { 'content-type': 'application/json' }).end('{"message":"starting"}');
        } catch (error) {
          log('http', String(error), true);
          if (!response.headersSent) response.writeHead(500);
          response.end();
        }
      },
      port,
      host,
    ),
  );
  const plan = planOf(
    readTemplate(options.template, {
      stack: options.stack,
      region: REGION,
      account: ACCOUNT,
      apiUrl: door.url,
      queueUrl: backing.queueUrl,
    }),
    options.assembly,
  );
  await backing.create(plan, options.secrets);
  const functions = lifetime.keep(
    openFunctions(plan.functions, { clock: clock.buffer, ledger, log, environment: backing.environment }),
  );
  await functions.ready();

  const queueOf = ({ queueArn }: SourcePlan) => {
    const queue = plan.queues.find(({ arn }) => arn === queueArn);
    if (!queue) throw new Error(`an event source takes from ${queueArn}, which is not in the template`);
    return queue;
  };
  const sources = plan.sources.map((source) => {
    const consumer = functions.nameOf(source.functionArn);
    return lifetime.keep(
      openSource(source, {
        engine: backing.sqs,
        queue: queueOf(source),
        region: REGION,
        consumer,
        invoke: (event) => functions.invoke(source.functionArn, event),
        clock,
        ledger,
        log: (line) => log(consumer, line, true),
      }),
    );
  });
  const activity = () =>
    activityOf({
      queues: plan.queues,
      counts: backing.sqs.counts,
      waiting: () => sources.reduce((sum, source) => sum + source.waiting(), 0),
      invocations: functions.inFlight,
      requests: () => gateway?.inFlight() ?? 0,
    });
  const timeline = lifetime.keep(
    openTimeline({
      clock,
      ticker: openTicker(plan.schedules, { functions, clock, region: REGION, account: ACCOUNT }),
      sources,
      tables: plan.tables,
      engine: backing.dynamodb,
      data,
      quiet: async () => {
        await until(activity, (it) => it.messages === it.waiting && it.invocations === 0, QUIET_MS);
      },
    }),
  );

  const table = () => brandTable(plan.tables, backing.dynamodb.client);
  const stack: Stack = {
    url: door.url,
    plan,
    clock: timeline,
    table,
    async *rows() {
      for (let after: string | undefined; ; ) {
        const { items, next } = await table().scan(0, 1, after);
        yield* items;
        if (next === undefined) return;
        after = next;
      }
    },
    ledger: ledger.report,
    resetLedger: ledger.reset,
    activity,
    idle: (timeoutMs = 60_000) => until(activity, (it) => it.idle, timeoutMs),
    stop: lifetime.end,
  };
  answerLocal = localRoutes(stack);
  gateway = openGateway({ functions, routes: plan.routes, clock, ledger });
  return stack;
}
