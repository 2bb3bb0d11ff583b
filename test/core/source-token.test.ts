import { describe, expect, it } from 'vitest';
import { fileToken, isRacy, RACY_WINDOW_NS, s3PinOf, s3Token } from '../../core/source-token.ts';

const LISTED_AT_MILLIS = 1_769_896_800_000;
const LISTED_AT_NS = BigInt(LISTED_AT_MILLIS) * 1_000_000n;

function stat(mtimeNs: bigint, ctimeNs = mtimeNs) {
  return { sizeBytes: 5n, mtimeNs, ctimeNs, inode: 7n };
}

describe('source tokens', () => {
  it('of files change with size, either time and inode', () => {
    const tokens = [
      stat(1n),
      { ...stat(1n), sizeBytes: 6n },
      stat(2n, 1n),
      stat(1n, 2n),
      { ...stat(1n), inode: 8n },
    ].map(fileToken);
    expect(new Set(tokens).size).toBe(5);
    expect(tokens[0]).toBe('file:5:1:1:7');
  });

  it('of S3 pin the ETag with its quotes, and the version where there is one', () => {
    expect(s3PinOf(s3Token('"abc-3"', undefined))).toEqual({ etag: '"abc-3"', versionId: undefined });
    expect(s3PinOf(s3Token('abc', 'v:1'))).toEqual({ etag: '"abc"', versionId: 'v:1' });
  });

  it('of files are no S3 pin', () => {
    expect(s3PinOf('file:5:1:1:7')).toBeUndefined();
  });
});

describe('the racy rule', () => {
  it('distrusts a file that changed less than two seconds before its listing', () => {
    expect(isRacy(stat(LISTED_AT_NS - RACY_WINDOW_NS + 1n), LISTED_AT_MILLIS)).toBe(true);
  });

  it('trusts a file that changed two seconds before its listing', () => {
    expect(isRacy(stat(LISTED_AT_NS - RACY_WINDOW_NS), LISTED_AT_MILLIS)).toBe(false);
  });

  it('looks at the later of the two times', () => {
    expect(isRacy(stat(0n, LISTED_AT_NS), LISTED_AT_MILLIS)).toBe(true);
    expect(isRacy(stat(LISTED_AT_NS, 0n), LISTED_AT_MILLIS)).toBe(true);
  });

  it('distrusts a time that lies in the future', () => {
    expect(isRacy(stat(LISTED_AT_NS + 3_600_000_000_000n), LISTED_AT_MILLIS)).toBe(true);
  });
});
