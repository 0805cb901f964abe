import { afterAll, beforeAll } from 'vitest';
import { embeddedDynamo } from './embedded.ts';
import { tableContract } from './table-contract.ts';

let dynamo: Awaited<ReturnType<typeof embeddedDynamo>>;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.stop());

tableContract('the table in DynamoDB', () => dynamo.createTable());
