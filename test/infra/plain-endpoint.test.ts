import { expect, test } from 'vitest';
import { plainEndpoint } from '../../infra/plain-endpoint.ts';

const urlOf = (asked: Parameters<ReturnType<typeof plainEndpoint>>[0]) =>
  plainEndpoint('dynamodb')(asked).url.href;

test.each([
  ['us-east-1', 'https://dynamodb.us-east-1.amazonaws.com/'],
  ['cn-northwest-1', 'https://dynamodb.cn-northwest-1.amazonaws.com.cn/'],
  ['us-gov-west-1', 'https://dynamodb.us-gov-west-1.amazonaws.com/'],
])('in %s it is the regional endpoint', (Region, url) => {
  expect(urlOf({ Region })).toBe(url);
});

test('an endpoint that the environment sets is the one', () => {
  expect(urlOf({ Region: 'us-east-1', Endpoint: 'http://127.0.0.1:8000' })).toBe('http://127.0.0.1:8000/');
});

test.each([{ Region: 'us-iso-east-1' }, { Region: 'us-east-1', UseFIPS: true }, { UseDualStack: true }, {}])(
  'what is not known is said, not guessed: %o',
  (asked) => {
    expect(() => urlOf(asked)).toThrow('no endpoint of dynamodb is known');
  },
);
