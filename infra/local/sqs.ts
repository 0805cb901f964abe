// The embedded SQS: fauxqs in this process, and the endpoint in front of it that counts what functions send.
import { mkdirSync } from 'node:fs';
import { Agent, request as forward, type IncomingHttpHeaders } from 'node:http';
import {
  CreateQueueCommand,
  QueueNameExists,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { z } from 'zod';
import type { Ledger } from './ledger.ts';
import { bodyOf, callerOf, type Listening, listen } from './listen.ts';
import type { QueuePlan } from './plan.ts';

/** The account that fauxqs stands for. */
export const ACCOUNT = '000000000000';

export interface QueueCounts {
  readonly ready: number;
  readonly delayed: number;
  /** Received and neither deleted nor visible again. */
  readonly inFlight: number;
}

export interface SqsEngine {
  readonly url: string;
  /** A client that no ledger sees: the run's own. */
  readonly client: SQSClient;
  /** What a queue holds at this moment. */
  counts(queue: string): QueueCounts;
  stop(): Promise<void>;
}

/** Starts the engine. @param path the folder that keeps the messages; in memory without one */
export async function startSqs({ path, region }: { path?: string; region: string }): Promise<SqsEngine> {
  if (path !== undefined) mkdirSync(path, { recursive: true });
  const server = await startFauxqs({ port: 0, logger: false, defaultRegion: region, dataDir: path });
  const url = `http://127.0.0.1:${server.port}`;
  const credentials = { accessKeyId: 'run', secretAccessKey: 'run' };
  const client = new SQSClient({ endpoint: url, region, credentials });
  return {
    url,
    client,
    counts(queue) {
      const held = server.inspectQueue(queue)?.messages;
      return {
        ready: held?.ready.length ?? 0,
        delayed: held?.delayed.length ?? 0,
        inFlight: held?.inflight.length ?? 0,
      };
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

/** Creates the plan's queues, dead-letter queues first; one that is kept from an earlier run takes the new settings. */
export async function createQueues({ client, url }: SqsEngine, queues: readonly QueuePlan[]): Promise<void> {
  const seconds = (ms: number) => String(Math.round(ms / 1000));
  for (const queue of [...queues].sort(
    (a, b) => Number(a.redrive !== undefined) - Number(b.redrive !== undefined),
  )) {
    const Attributes = {
      VisibilityTimeout: seconds(queue.visibilityMs),
      DelaySeconds: seconds(queue.delayMs),
      MessageRetentionPeriod: seconds(queue.retentionMs),
      ...(queue.redrive && {
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: queue.redrive.to,
          maxReceiveCount: queue.redrive.after,
        }),
      }),
    };
    try {
      await client.send(new CreateQueueCommand({ QueueName: queue.name, Attributes }));
    } catch (error) {
      if (!(error instanceof QueueNameExists)) throw error;
      const QueueUrl = `${url}/${ACCOUNT}/${queue.name}`;
      await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    }
  }
}

const sent = z.looseObject({
  QueueUrl: z.string().optional(),
  MessageBody: z.string().optional(),
  Entries: z.array(z.looseObject({ MessageBody: z.string().optional() })).optional(),
});

/** The endpoint that functions know as SQS. Queue URLs carry its address, because the SDK follows their host. */
export async function meterSqs(engine: SqsEngine, ledger: Ledger): Promise<Listening> {
  const agent = new Agent({ keepAlive: true });
  const meter = await listen(async (incoming, outgoing) => {
    const body = (await bodyOf(incoming)) ?? Buffer.alloc(0);
    count(ledger, callerOf(incoming), incoming.headers, body);
    const onward = forward(
      engine.url,
      { method: 'POST', path: '/', headers: incoming.headers, agent },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(outgoing);
      },
    );
    onward.on('error', (error) => {
      if (!outgoing.headersSent) outgoing.writeHead(503);
      outgoing.end(String(error));
    });
    onward.end(body);
  });
  return {
    ...meter,
    async stop() {
      await meter.stop();
      agent.destroy();
    },
  };
}

function count(ledger: Ledger, caller: string, headers: IncomingHttpHeaders, body: Buffer): void {
  const operation = String(headers['x-amz-target']).replace('AmazonSQS.', '');
  const { QueueUrl = '', MessageBody, Entries } = sent.parse(JSON.parse(String(body) || '{}'));
  const bodies = Entries
    ? Entries.map((it) => it.MessageBody ?? '')
    : MessageBody === undefined
      ? []
      : [MessageBody];
  const bytes = bodies.reduce((sum, it) => sum + Buffer.byteLength(it), 0);
  ledger.sqs(caller, operation, QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1), bytes, bodies.length);
}
