import { crc32, deflateRawSync } from 'node:zlib';

export interface Entry {
  path: string;
  bytes: Uint8Array;
  /** Only the flag: the bytes stay plain, a reader has to stop before it looks at them. */
  encrypted?: boolean;
  /** What the headers say about the size, where that is a lie. */
  declaredSize?: number;
  /** Wrong checksum. */
  damaged?: boolean;
  symbolicLink?: boolean;
  /** The name in another encoding, without the flag that says UTF-8. */
  rawName?: Uint8Array;
  /** Only the number: the bytes stay deflated. */
  method?: number;
}

const u16 = (...values: number[]) => Buffer.from(new Uint16Array(values).buffer);
const u32 = (...values: number[]) => Buffer.from(new Uint32Array(values).buffer);

/** A deflated zip: local headers, central directory, end record (PKWARE's APPNOTE, 4.3). */
export function makeZip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.rawName ?? entry.path);
    const packed = deflateRawSync(entry.bytes);
    const flags = (entry.rawName ? 0 : 0x800) | (entry.encrypted ? 1 : 0);
    const size = entry.declaredSize ?? entry.bytes.length;
    const common = Buffer.concat([
      u16(20, flags, entry.method ?? 8, 0, 0),
      u32(checksum(entry), packed.length, size),
      u16(name.length, 0),
    ]);
    const local = Buffer.concat([u32(0x04034b50), common, name, packed]);
    const attributes = entry.symbolicLink ? 0o120777 * 2 ** 16 : 0;
    const madeByUnix = u16(0x31e);
    const tail = [u16(0, 0, 0), u32(attributes, offset), name];
    central.push(Buffer.concat([u32(0x02014b50), madeByUnix, common, ...tail]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = [
    u32(0x06054b50),
    u16(0, 0, entries.length, entries.length),
    u32(directory.length, offset),
    u16(0),
  ];
  return Buffer.concat([...locals, directory, ...end]);
}

/** A stored RAR5 archive (rarlab.com/technote.htm). */
export function makeRar5(entries: readonly Entry[]): Buffer {
  const block = (...fields: Buffer[]) => {
    const body = Buffer.concat(fields);
    const sized = Buffer.concat([vint(body.length), body]);
    return Buffer.concat([u32(crc32(sized)), sized]);
  };
  const files = entries.flatMap((entry) => {
    const name = Buffer.from(entry.path);
    const size = entry.declaredSize ?? entry.bytes.length;
    const header = block(
      vint(2, 2, entry.bytes.length, 4, size, 0o100644),
      u32(checksum(entry)),
      vint(0, 1, name.length),
      name,
    );
    return [header, Buffer.from(entry.bytes)];
  });
  return Buffer.concat([
    Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1'),
    block(vint(1, 0, 0)),
    ...files,
    block(vint(5, 0, 0)),
  ]);
}

/** A stored RAR4 archive, the format of old WinRAR versions (unrar's `headers.hpp`). */
export function makeRar4(entries: readonly Entry[], { isVolume = false } = {}): Buffer {
  const block = (type: number, flags: number, ...fields: Buffer[]) => {
    const rest = Buffer.concat(fields);
    const body = Buffer.concat([Buffer.from([type]), u16(flags, 7 + rest.length), rest]);
    return Buffer.concat([u16(crc32(body) & 0xffff), body]);
  };
  const files = entries.flatMap((entry) => {
    const name = Buffer.from(entry.path);
    const header = block(
      0x74,
      0x8000 | (entry.encrypted ? 4 : 0),
      u32(entry.bytes.length, entry.declaredSize ?? entry.bytes.length),
      Buffer.from([3]),
      u32(checksum(entry), 0),
      Buffer.from([20, 0x30]),
      u16(name.length),
      u32(0o100644),
      name,
    );
    return [header, Buffer.from(entry.bytes)];
  });
  return Buffer.concat([
    Buffer.from('Rar!\x1a\x07\x00', 'latin1'),
    block(0x73, isVolume ? 1 : 0, Buffer.alloc(6)),
    ...files,
    block(0x7b, 0x4000),
  ]);
}

function checksum({ bytes, damaged }: Entry): number {
  return damaged ? (crc32(bytes) ^ 1) >>> 0 : crc32(bytes);
}

/** RAR5's variable-length integers: 7 bits a byte, the lowest first. */
function vint(...values: number[]): Buffer {
  const bytes: number[] = [];
  for (let value of values) {
    for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    bytes.push(value);
  }
  return Buffer.from(bytes);
}
