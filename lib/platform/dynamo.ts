import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { ConflictError } from './errors.ts';
import { END } from './keys.ts';
import type { Guard, Item, Key, Page, Range, Table, Value } from './table.ts';

/** The name of the due index (`keys.due`): partition `w`, sort `due`, keys only. */
export const DUE_INDEX = 'due';

const guards: Record<Guard['kind'], string> = {
  absent: 'attribute_not_exists(pk)',
  version: 'v = :v',
  newer: 'attribute_not_exists(pk) OR v < :v',
  unversioned: 'attribute_not_exists(v)',
};

/** The brand's table in DynamoDB. The SDK retries what is throttled or lost; every write here may be repeated. */
export function openTable(name: string, client = new DynamoDBClient({ maxAttempts: 5 })): Table {
  async function page(
    pk: string,
    { from = ' ', to = END, newestFirst, limit, after }: Range & { limit?: number; after?: string },
  ): Promise<Page> {
    const reply = await client.send(
      new QueryCommand({
        TableName: name,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': { S: pk }, ':from': { S: from }, ':to': { S: to } },
        ScanIndexForward: !newestFirst,
        Limit: limit,
        ExclusiveStartKey: after === undefined ? undefined : { pk: { S: pk }, sk: { S: after } },
      }),
    );
    return { items: (reply.Items ?? []).map(fromRow), next: reply.LastEvaluatedKey?.sk?.S };
  }

  return {
    async get({ pk, sk }) {
      const reply = await client.send(
        new GetItemCommand({ TableName: name, ConsistentRead: true, Key: { pk: { S: pk }, sk: { S: sk } } }),
      );
      return reply.Item && fromRow(reply.Item);
    },

    async put(item, guard) {
      const v =
        guard?.kind === 'version' ? guard.version : guard?.kind === 'newer' ? Number(item.v) : undefined;
      const condition =
        guard && (guard.kind === 'version' && guard.version === 0 ? guards.absent : guards[guard.kind]);
      const values = condition?.includes(':v') ? { ':v': { N: String(v) } } : undefined;
      await conflicts(item, () =>
        client.send(
          new PutItemCommand({
            TableName: name,
            Item: toRow(item),
            ConditionExpression: condition,
            ExpressionAttributeValues: values,
          }),
        ),
      );
    },

    async add({ pk, sk }, increments, set = {}) {
      await client.send(
        new UpdateItemCommand({
          TableName: name,
          Key: { pk: { S: pk }, sk: { S: sk } },
          ...updateOf(increments, set),
        }),
      );
    },

    async remove(key, guard) {
      await conflicts(key, () =>
        client.send(
          new DeleteItemCommand({
            TableName: name,
            Key: { pk: { S: key.pk }, sk: { S: key.sk } },
            ConditionExpression: guard && guards.version,
            ExpressionAttributeValues: guard && { ':v': { N: String(guard.version) } },
          }),
        ),
      );
    },

    async *query(pk, range = {}) {
      for (let after: string | undefined; ; ) {
        const { items, next } = await page(pk, { ...range, after });
        yield* items;
        if (next === undefined) return;
        after = next;
      }
    },

    page,

    async due(shard, until, limit) {
      const reply = await client.send(
        new QueryCommand({
          TableName: name,
          IndexName: DUE_INDEX,
          KeyConditionExpression: 'w = :w AND due <= :until',
          ExpressionAttributeValues: { ':w': { S: shard }, ':until': { S: until } },
          Limit: limit,
        }),
      );
      return (reply.Items ?? [])
        .map(fromRow)
        .map(({ pk, sk, due }) => ({ key: { pk, sk }, due: String(due) }));
    },

    async scan(segment, of, after) {
      const [pk, sk] = after === undefined ? [] : after.split('\n');
      const reply = await client.send(
        new ScanCommand({
          TableName: name,
          Segment: segment,
          TotalSegments: of,
          ExclusiveStartKey:
            pk === undefined || sk === undefined ? undefined : { pk: { S: pk }, sk: { S: sk } },
        }),
      );
      const last = reply.LastEvaluatedKey;
      return { items: (reply.Items ?? []).map(fromRow), next: last && `${last.pk?.S}\n${last.sk?.S}` };
    },
  };
}

/** Attributes by number: their own names may hold anything, and be words that DynamoDB keeps for itself. */
function updateOf(
  increments: Readonly<Record<string, number>>,
  set: Readonly<Record<string, Value>>,
): Partial<UpdateItemCommandInput> {
  const added = Object.keys(increments).map((_, i) => `#n${i} :v${i}`);
  const given = Object.keys(set).map((_, i) => `#n${added.length + i} = :v${added.length + i}`);
  const all = [...Object.entries(increments), ...Object.entries(set)];
  if (all.length === 0) return {};
  return {
    UpdateExpression: [
      ...(added.length > 0 ? [`ADD ${added.join(', ')}`] : []),
      ...(given.length > 0 ? [`SET ${given.join(', ')}`] : []),
    ].join(' '),
    ExpressionAttributeNames: Object.fromEntries(all.map(([name], i) => [`#n${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(all.map(([, value], i) => [`:v${i}`, toValue(value)])),
  };
}

async function conflicts(key: Key, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException)
      throw new ConflictError(`somebody else wrote ${key.pk} ${key.sk} first`);
    throw error;
  }
}

function toValue(value: Value): AttributeValue {
  if (value === null) return { NULL: true };
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (typeof value === 'boolean') return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (Array.isArray(value)) return { L: value.map(toValue) };
  return { M: toRow(value) };
}

const toRow = (item: { readonly [name: string]: Value }): Record<string, AttributeValue> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toValue(value)]));

function fromValue(value: AttributeValue): Value {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  if (value.L !== undefined) return value.L.map(fromValue);
  if (value.M !== undefined) return fromRow(value.M);
  return null;
}

function fromRow(row: Record<string, AttributeValue>): Item {
  const item = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, fromValue(value)]));
  return item as Item; // pk and sk are the table's own key: DynamoDB stores no row without them
}
