import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import type { Account } from './account.ts';
import { isRefusal } from './errors.ts';
import { textIn, type Columns, type Row } from './table.ts';

/** Texts of any size, as columns of a row or, what is too large, as a blob that a row names. */
export interface Values {
  /**
   * The columns that hold a text. One that does not fit a row is written to a blob first, whose name begins with
   * `folder`; if the row is then not written, `dropLater()` takes it away again, or the clean-up of the folder does.
   */
  pack(text: string, folder: string): Promise<Packed>;
  unpack(row: Row): Promise<string>;
  /** Takes away the blob of a value that no row names, if it has one, without anybody waiting for it. */
  dropLater(packed: { readonly blob?: string | undefined } | undefined): void;
  /** Takes away the blobs of a folder that were written before `before` (default: all) and that are not in `keep`. */
  empty(
    folder: string,
    options?: {
      readonly before?: number | undefined;
      readonly keep?: (() => Promise<ReadonlySet<string>>) | undefined;
    },
  ): Promise<void>;
}

export interface Packed {
  readonly columns: Columns;
  readonly blob?: string | undefined;
}

// Limits of a row: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
/** Bytes of one property. */
const propertyBytes = 65_536;
/** Properties of one value: 768 KiB of the 1 MiB that a row may have, names and other columns included. */
const properties = 12;
/** From here on packing is done off this thread. */
const slowChars = 65_536;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/**
 * A text is UTF-8, deflated (columns `z0`, `z1` …, RFC 1951) where that is shorter, else as it is (`u0` …): a string
 * column would take two bytes a character. A blob (column `blob`) holds the deflated bytes.
 */
export function values(account: Account): Values {
  const drop = async (name: string): Promise<void> => {
    await account.blobs('write', (container, abortSignal) =>
      container.getBlockBlobClient(name).deleteIfExists({ abortSignal }),
    );
  };
  return {
    async pack(text, folder) {
      const plain = Buffer.from(text);
      const short = text.length < slowChars ? deflateRawSync(plain) : await deflate(plain);
      const [name, bytes] = short.length < plain.length ? ['z', short] : ['u', plain];
      if (bytes.length <= properties * propertyBytes) return { columns: split(name, bytes) };
      const blob = `${folder}${randomUUID()}`;
      await account.blobs('write', (container, abortSignal) =>
        container.getBlockBlobClient(blob).upload(short, short.length, { abortSignal }),
      );
      return { columns: { blob }, blob };
    },

    async unpack(row) {
      const blob = textIn(row, 'blob');
      if (blob !== undefined) {
        const bytes = await account.blobs('read', (container, abortSignal) =>
          container.getBlobClient(blob).downloadToBuffer(0, undefined, { abortSignal }),
        );
        return (await inflate(bytes)).toString();
      }
      const short = join(row, 'z');
      if (short === undefined) return join(row, 'u')?.toString() ?? '';
      const plain = short.length < slowChars ? inflateRawSync(short) : await inflate(short);
      return plain.toString();
    },

    dropLater(packed) {
      if (packed?.blob !== undefined) account.later(drop(packed.blob));
    },

    async empty(folder, { before = Infinity, keep } = {}) {
      try {
        const names = await account.blobs('read', async (container, abortSignal) => {
          const found: string[] = [];
          for await (const { name, properties: about } of container.listBlobsFlat({
            prefix: folder,
            abortSignal,
          })) {
            if (before === Infinity || about.lastModified.getTime() < before) found.push(name);
          }
          return found;
        });
        const kept = names.length === 0 ? undefined : await keep?.();
        for (const name of names) if (kept?.has(name) !== true) await drop(name);
      } catch (error) {
        if (!isRefusal(error, 'no-place', 'missing')) throw error;
      }
    },
  };
}

function split(name: string, bytes: Buffer): Columns {
  const columns: Record<string, Uint8Array> = {};
  for (let part = 0; part * propertyBytes < bytes.length; part++) {
    columns[`${name}${part}`] = bytes.subarray(part * propertyBytes, (part + 1) * propertyBytes);
  }
  return columns;
}

function join({ columns }: Row, name: string): Buffer | undefined {
  const parts: Uint8Array[] = [];
  for (let part = 0; part < properties; part++) {
    const bytes = columns[`${name}${part}`];
    if (!(bytes instanceof Uint8Array)) break;
    parts.push(bytes);
  }
  if (parts.length === 0) return undefined;
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? Buffer.from(first) : Buffer.concat(parts);
}
