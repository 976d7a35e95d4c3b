// A visit as one file: a zip without compression, so that nothing in it can grow when it is opened.
window.visitFile = (() => {
  const MANIFEST = 'visit.json', LARGEST = 100e6;
  const CRC = Uint32Array.from({length: 256}, (_, at) => { for (let bit = 0; bit < 8; bit++) at = at & 1 ? (at >>> 1) ^ 0xedb88320 : at >>> 1; return at; });
  const crc = (bytes) => ~bytes.reduce((sum, one) => CRC[(sum ^ one) & 255] ^ (sum >>> 8), -1) >>> 0;
  const numbers = (...pairs) => {  // little-endian: size in bytes, value
    const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
    pairs.reduce((at, [size, value]) => { size === 2 ? view.setUint16(at, value, true) : view.setUint32(at, value, true); return at + size; }, 0);
    return new Uint8Array(view.buffer);
  };

  const pack = async (visit) => {
    const files = Object.entries(visit.files).flatMap(([key, held]) => held.map(({file}) => ({key, file})));
    const names = files.map(({key, file}, at) => ({key, name: file.name, type: file.type, entry: `files/${at}`}));
    const entries = [[MANIFEST, new Blob([JSON.stringify({...visit, files: names})])], ...files.map(({file}, at) => [`files/${at}`, file])];
    const parts = [], directory = [];
    let at = 0, size = 0;
    for (const [path, blob] of entries) {
      const name = new TextEncoder().encode(path), bytes = new Uint8Array(await blob.arrayBuffer());
      const fields = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, crc(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
      parts.push(numbers([4, 0x04034b50], ...fields), name, bytes);
      directory.push(numbers([4, 0x02014b50], [2, 20], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), name);
      at += 30 + name.length + bytes.length;
      size += 46 + name.length;
    }
    return new Blob([...parts, ...directory, numbers([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, at], [2, 0])], {type: 'application/zip'});
  };

  // The visit of a file, as `pack` takes it; null where it is something else.
  const open = async (file) => {
    if (file.size > LARGEST) return null;
    const bytes = await file.arrayBuffer(), view = new DataView(bytes), found = {};
    for (let at = 0; at + 30 <= bytes.byteLength && view.getUint32(at, true) === 0x04034b50;) {
      const [method, size, name, extra] = [view.getUint16(at + 8, true), view.getUint32(at + 18, true), view.getUint16(at + 26, true), view.getUint16(at + 28, true)];
      const begin = at + 30 + name + extra;
      if (method !== 0 || begin + size > bytes.byteLength) return null;
      found[new TextDecoder().decode(new Uint8Array(bytes, at + 30, name))] = new Blob([bytes.slice(begin, begin + size)]);
      at = begin + size;
    }
    if (!found[MANIFEST]) return null;
    const visit = JSON.parse(await found[MANIFEST].text()), files = {};
    for (const {key, name, type, entry} of visit.files) {
      if (found[entry]) (files[key] ??= []).push({src: '', file: new File([found[entry]], String(name), {type: String(type)})});
    }
    return {...visit, files};
  };

  return {pack, open};
})();
