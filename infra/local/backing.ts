// What stands behind the functions of a run: the embedded engines, and the endpoints in front of them that functions are given.
import { join } from 'node:path';
import { createTables, type DynamoEngine, startDynamoDB } from './dynamodb.ts';
import { meterDynamoDB } from './dynamodb-meter.ts';
import type { Ledger } from './ledger.ts';
import type { Lifetime } from './lifetime.ts';
import type { Plan } from './plan.ts';
import { type LocalSecrets, secretTexts, serveSecrets } from './secrets.ts';
import { ACCOUNT, createQueues, meterSqs, type SqsEngine, startSqs } from './sqs.ts';

export interface Backing {
  readonly dynamodb: DynamoEngine;
  readonly sqs: SqsEngine;
  /** The queue's URL as functions get it: past the meter. */
  queueUrl(name: string): string;
  /** Where the SDK of a function finds them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Makes the plan's tables, queues and secrets. */
  create(plan: Plan, secrets?: LocalSecrets): Promise<void>;
}

export interface BackingPlace {
  readonly region: string;
  readonly data?: string;
  /** Another DynamoDB in place of the embedded one. */
  readonly endpoint?: string;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
}

/** Starts them empty: their addresses must be known before a template can be read. */
export async function startBacking(place: BackingPlace): Promise<Backing> {
  const { region, data, endpoint, ledger, lifetime } = place;
  const folder = (name: string) => (data === undefined ? undefined : join(data, name));
  let created: Pick<Plan, 'tables' | 'secrets'> = { tables: [], secrets: [] };
  let texts: ReadonlyMap<string, string> = new Map();

  const dynamodb = lifetime.keep(await startDynamoDB({ path: folder('dynamodb'), endpoint, region }));
  const sqs = lifetime.keep(await startSqs({ path: folder('sqs'), region }));
  const tableMeter = lifetime.keep(await meterDynamoDB(dynamodb, () => created.tables, ledger));
  const queueMeter = lifetime.keep(await meterSqs(sqs, ledger));
  const secretDoor = lifetime.keep(
    await serveSecrets(
      () => created.secrets,
      () => texts,
    ),
  );
  return {
    dynamodb,
    sqs,
    queueUrl: (name) => `${queueMeter.url}/${ACCOUNT}/${name}`,
    environment: {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ENDPOINT_URL_DYNAMODB: tableMeter.url,
      AWS_ENDPOINT_URL_SQS: queueMeter.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretDoor.url,
    },
    async create(plan, secrets) {
      created = plan;
      texts = secretTexts(plan.secrets, secrets);
      await createTables(dynamodb, plan.tables);
      await createQueues(sqs, plan.queues);
    },
  };
}
