// The endpoint that functions know as DynamoDB: it counts what each call costs and hands it on.
import { z } from 'zod';
import type { DynamoEngine, Reply } from './dynamodb.ts';
import type { DynamoCall, Ledger } from './ledger.ts';
import { bodyOf, callerOf, type Listening, listen } from './listen.ts';
import type { TablePlan } from './plan.ts';
import { indexUnits, itemBytes, readUnits, type WireItem, wireItem, writeUnits } from './units.ts';

const API = 'DynamoDB_20120810.';

const request = z.looseObject({
  TableName: z.string().optional(),
  ConsistentRead: z.boolean().optional(),
  Key: wireItem.optional(),
  Item: wireItem.optional(),
  ReturnValues: z.string().optional(),
  ReturnConsumedCapacity: z.string().optional(),
  ExpressionAttributeValues: wireItem.optional(),
  FilterExpression: z.string().optional(),
  ProjectionExpression: z.string().optional(),
  Select: z.string().optional(),
  RequestItems: z.record(z.string(), z.unknown()).optional(),
});
type Request = z.infer<typeof request>;

const reply = z.looseObject({
  Item: wireItem.optional(),
  Items: z.array(wireItem).optional(),
  Attributes: wireItem.optional(),
  Responses: z.record(z.string(), z.array(wireItem)).optional(),
  ConsumedCapacity: z.looseObject({ CapacityUnits: z.number() }).optional(),
});
const batchKeys = z.looseObject({ Keys: z.array(wireItem), ConsistentRead: z.boolean().optional() });
const batchWrites = z.array(
  z.looseObject({
    PutRequest: z.looseObject({ Item: wireItem }).optional(),
    DeleteRequest: z.looseObject({ Key: wireItem }).optional(),
  }),
);

type Units = Pick<DynamoCall, 'readUnits' | 'writeUnits' | 'indexWriteUnits' | 'conditionFailed'>;

/**
 * Counts by the rules of DynamoDB and not by the engine's own sums, which leave indexes out and measure text in
 * characters. The item before a write is asked for along with the write itself (`ReturnValues`), so puts and
 * deletes are exact; UpdateItem and BatchWriteItem look before they write, and are exact while nobody else
 * writes the same item in between.
 */
export async function meterDynamoDB(
  engine: DynamoEngine,
  tables: () => readonly TablePlan[],
  ledger: Ledger,
): Promise<Listening> {
  const tableOf = (name: string | undefined): TablePlan => {
    const found = tables().find((table) => table.name === name);
    if (!found) throw new Error(`no table ${name} in the template`);
    return found;
  };

  const keyOf = (table: TablePlan, item: WireItem): WireItem =>
    Object.fromEntries(Object.entries(item).filter(([name]) => name === table.hash || name === table.range));

  async function peek(table: TablePlan, item: WireItem): Promise<WireItem | undefined> {
    const body = JSON.stringify({ TableName: table.name, Key: keyOf(table, item), ConsistentRead: true });
    return reply.parse(JSON.parse((await engine.send(`${API}GetItem`, body)).body)).Item;
  }

  const written = (table: TablePlan, before?: WireItem, after?: WireItem): Units => ({
    writeUnits: writeUnits(before, after),
    indexWriteUnits: table.indexes.reduce((sum, index) => sum + indexUnits(index, before, after), 0),
  });

  /** A put or delete, with the item before it in the reply. */
  async function write(operation: string, asked: Request): Promise<[Reply, Units]> {
    const table = tableOf(asked.TableName);
    const after = asked.Item;
    const wants = asked.ReturnValues === 'ALL_OLD';
    const got = await engine.send(
      API + operation,
      JSON.stringify({ ...asked, ReturnValues: 'ALL_OLD', ReturnConsumedCapacity: undefined }),
    );
    if (got.status === 200) {
      const { Attributes, ...rest } = reply.parse(JSON.parse(got.body));
      return [wants ? got : { status: 200, body: JSON.stringify(rest) }, written(table, Attributes, after)];
    }
    if (!got.body.includes('ConditionalCheckFailed')) return [got, {}];
    // A write that fails its condition is charged for the item that is there, or would have been.
    const before = await peek(table, after ?? asked.Key ?? {});
    return [got, { writeUnits: writeUnits(before, after), conditionFailed: true }];
  }

  async function update(text: string, asked: Request): Promise<[Reply, Units]> {
    const table = tableOf(asked.TableName);
    const before = await peek(table, asked.Key ?? {});
    const got = await engine.send(`${API}UpdateItem`, text);
    if (got.status === 200) return [got, written(table, before, await peek(table, asked.Key ?? {}))];
    if (!got.body.includes('ConditionalCheckFailed')) return [got, {}];
    return [got, { writeUnits: writeUnits(before, undefined), conditionFailed: true }];
  }

  async function batchWrite(text: string, asked: Request): Promise<[Reply, Units]> {
    const writes: [TablePlan, WireItem | undefined, WireItem | undefined][] = [];
    for (const [name, requests] of Object.entries(asked.RequestItems ?? {}))
      for (const { PutRequest, DeleteRequest } of batchWrites.parse(requests)) {
        const table = tableOf(name);
        const item = PutRequest?.Item ?? DeleteRequest?.Key ?? {};
        writes.push([table, await peek(table, item), PutRequest?.Item]);
      }
    const got = await engine.send(`${API}BatchWriteItem`, text);
    if (got.status !== 200) return [got, {}];
    const units = writes.map(([table, before, after]) => written(table, before, after));
    return [
      got,
      {
        writeUnits: units.reduce((sum, it) => sum + (it.writeUnits ?? 0), 0),
        indexWriteUnits: units.reduce((sum, it) => sum + (it.indexWriteUnits ?? 0), 0),
      },
    ];
  }

  /** A query or scan is charged for all that it read together, also for what a filter then left out. */
  async function search(operation: string, asked: Request): Promise<[Reply, Units]> {
    const body = JSON.stringify({ ...asked, ReturnConsumedCapacity: 'TOTAL' });
    const got = await engine.send(API + operation, body);
    if (got.status !== 200) return [got, {}];
    const { ConsumedCapacity, ...rest } = reply.parse(JSON.parse(got.body));
    const strong = asked.ConsistentRead === true;
    const whole = !asked.FilterExpression && !asked.ProjectionExpression && rest.Items;
    const units = whole
      ? readUnits(
          whole.reduce((sum, item) => sum + itemBytes(item), 0),
          strong,
        )
      : Math.max(ConsumedCapacity?.CapacityUnits ?? 0, strong ? 1 : 0.5);
    return [
      asked.ReturnConsumedCapacity ? got : { status: 200, body: JSON.stringify(rest) },
      { readUnits: units },
    ];
  }

  async function call(operation: string, text: string, asked: Request): Promise<[Reply, Units]> {
    switch (operation) {
      case 'PutItem':
      case 'DeleteItem':
        return write(operation, asked);
      case 'UpdateItem':
        return update(text, asked);
      case 'BatchWriteItem':
        return batchWrite(text, asked);
      case 'Query':
      case 'Scan':
        return search(operation, asked);
    }
    const got = await engine.send(API + operation, text);
    if (got.status !== 200) return [got, {}];
    if (operation === 'GetItem') {
      const { Item } = reply.parse(JSON.parse(got.body));
      return [got, { readUnits: readUnits(Item ? itemBytes(Item) : 0, asked.ConsistentRead === true) }];
    }
    if (operation === 'BatchGetItem') return [got, { readUnits: batchReadUnits(asked, got.body) }];
    return [got, {}];
  }

  return listen(async (incoming, outgoing) => {
    const caller = callerOf(incoming);
    const operation = String(incoming.headers['x-amz-target']).replace(API, '');
    try {
      const text = String(await bodyOf(incoming));
      const asked = request.parse(JSON.parse(text));
      const [got, units] = await call(operation, text, asked);
      ledger.dynamodb(caller, {
        operation,
        rows: rowsOf(asked, tables()),
        bytes: Buffer.byteLength(text) + Buffer.byteLength(got.body),
        failed: got.status !== 200 && !units.conditionFailed,
        ...units,
      });
      outgoing.writeHead(got.status, { 'content-type': 'application/x-amz-json-1.0' }).end(got.body);
    } catch (error) {
      // A 4xx, so that the SDK says it at once and does not try again.
      const problem = { __type: 'ValidationException', message: `the run's DynamoDB: ${error}` };
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(problem));
    }
  });
}

/** Each item of a batch is rounded up by itself; a key that finds nothing costs as much as a small item. */
function batchReadUnits(asked: Request, body: string): number {
  const { Responses = {} } = reply.parse(JSON.parse(body));
  let units = 0;
  for (const [name, wanted] of Object.entries(asked.RequestItems ?? {})) {
    const { Keys, ConsistentRead = false } = batchKeys.parse(wanted);
    const found = Responses[name] ?? [];
    for (const item of found) units += readUnits(itemBytes(item), ConsistentRead);
    units += (Keys.length - found.length) * readUnits(0, ConsistentRead);
  }
  return units;
}

/**
 * The kind of row that a call concerns, by the heads of its keys: `P#@` for partition `P#…` and sort key `@`, `P#J`
 * for sort keys that begin with `J#`, `I#@`, `A#`. Sort keys that are somebody's name are left out.
 */
function rowsOf(asked: Request, tables: readonly TablePlan[]): string {
  const table = tables.find(({ name }) => name === asked.TableName);
  if (!table) return '';
  const item = asked.Item ?? asked.Key;
  const text = (value: Record<string, unknown> | undefined) => (typeof value?.S === 'string' ? value.S : '');
  // A query's key stands among the values of its expression, the partition first.
  const [partition, first] = Object.values(asked.ExpressionAttributeValues ?? {});
  const hash = text(item ? item[table.hash] : partition);
  const range = text(item ? item[table.range ?? ''] : first);
  if (!hash.includes('#')) return hash && `${hash.slice(0, 12)}`;
  const head = /^(@|[A-Z](?=#))/.exec(range)?.[0] ?? '';
  return `${hash.slice(0, hash.indexOf('#'))}#${head}`;
}
