import type { S3Request } from '../protocol/exchange.ts';
import { S3Error } from '../protocol/s3-error.ts';

/** S3 never gives more than this in one page. */
const maxPageSize = 1000;

/** A page size parameter. Throws InvalidArgument. */
export function pageSizeOf(request: S3Request, name: string): number {
  const text = request.query.get(name);
  if (text === undefined) return maxPageSize;
  if (!/^\d{1,10}$/.test(text)) {
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`);
  }
  return Math.min(maxPageSize, Number(text));
}

/** How names are written in the answer: as they are, or percent-encoded when the request asks so. */
export function nameEncoder(request: S3Request): (name: string) => string {
  const encoding = request.query.get('encoding-type');
  if (encoding === undefined) return (name) => name;
  if (encoding !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return encodeName;
}

/** S3's own form: like a query value, with `/` and `*` left alone and a space as `+`. */
function encodeName(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
}
