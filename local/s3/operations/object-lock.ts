import * as z from 'zod/mini';
import { type Context, headerOf, type Reply, type S3Request, xmlReply } from '../protocol/exchange.ts';
import { mayReplaceRetention, parseRetentionMode, type Retention } from '../protocol/object-lock.ts';
import { receiveDocument } from '../protocol/receive.ts';
import { S3Error } from '../protocol/s3-error.ts';
import { isoDate } from '../protocol/times.ts';
import { element, parseXml, xmlDeclaration, xmlNamespace } from '../protocol/xml.ts';
import type { ObjectVersion } from '../store/version.ts';
import { requireFuture, requireLegalHold, requireLockEnabled } from './description.ts';
import { locateVersion } from './locate.ts';

const retentionBody = z.object({
  Retention: z.union([
    z.object({ Mode: z.string(), RetainUntilDate: z.string() }),
    // An empty element takes the retention away.
    z.literal(''),
  ]),
});

const legalHoldBody = z.object({ LegalHold: z.object({ Status: z.string() }) });

export function getObjectRetention(request: S3Request, context: Context): Reply {
  const { retention } = lockableVersion(request, context).lock;
  if (retention === undefined) throw noLock();
  const result =
    element('Mode', retention.mode) + element('RetainUntilDate', isoDate(retention.retainUntilEpochMillis));
  return xmlReply(`${xmlDeclaration}<Retention ${xmlNamespace}>${result}</Retention>`);
}

export async function putObjectRetention(request: S3Request, context: Context): Promise<Reply> {
  const { Retention: wanted } = parseXml(await receiveDocument(request), retentionBody);
  const version = lockableVersion(request, context);
  const now = context.clock();
  const next: Retention | undefined =
    wanted === ''
      ? undefined
      : { mode: parseRetentionMode(wanted.Mode), ...requireFuture(wanted.RetainUntilDate, now) };
  const bypass = headerOf(request, 'x-amz-bypass-governance-retention')?.toLowerCase() === 'true';
  if (!mayReplaceRetention(version.lock.retention, next, now, bypass)) {
    throw new S3Error('AccessDenied', 'Access Denied because object protected by object lock.');
  }
  const { retention: _replaced, ...others } = version.lock;
  const bucket = context.store.buckets.require(request.bucket);
  context.store.versions.setLock(bucket, version, { ...others, ...(next === undefined ? {} : { retention: next }) });
  return { status: 200, headers: {} };
}

export function getObjectLegalHold(request: S3Request, context: Context): Reply {
  const { legalHold } = lockableVersion(request, context).lock;
  if (legalHold === undefined) throw noLock();
  return xmlReply(`${xmlDeclaration}<LegalHold ${xmlNamespace}>${element('Status', legalHold)}</LegalHold>`);
}

export async function putObjectLegalHold(request: S3Request, context: Context): Promise<Reply> {
  const { LegalHold: wanted } = parseXml(await receiveDocument(request), legalHoldBody);
  const version = lockableVersion(request, context);
  const bucket = context.store.buckets.require(request.bucket);
  context.store.versions.setLock(bucket, version, { ...version.lock, legalHold: requireLegalHold(wanted.Status) });
  return { status: 200, headers: {} };
}

function lockableVersion(request: S3Request, context: Context): ObjectVersion {
  requireLockEnabled(context.store.buckets.require(request.bucket));
  const version = locateVersion(request, context);
  if (!version.isMarker) return version;
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.');
}

function noLock(): S3Error {
  return new S3Error('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration');
}
