import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Flips the first byte of an object below the local S3's feet, as a disk would: every checksum that it keeps stays as it is.
 * @param bytes what the object holds; above 16 KiB, so that it is a file of its own
 * @returns how many files were damaged; the copy of an object shares its bytes
 */
export function damageObject(storeDirectory: string, bytes: Buffer): number {
  const blobs = join(storeDirectory, 'blobs');
  const found = readdirSync(blobs, { recursive: true, encoding: 'utf8' })
    .map((path) => join(blobs, path))
    .filter(
      (path) => statSync(path).isFile() && statSync(path).size === bytes.length && readFileSync(path).equals(bytes),
    );
  const damaged = Buffer.from(bytes);
  damaged.writeUInt8(bytes.readUInt8(0) ^ 0xff, 0);
  for (const path of found) {
    writeFileSync(path, damaged);
  }
  return found.length;
}
