// A safetensors file: eight bytes with the length of its header, the header as JSON, the numbers.

/** @typedef {{shape: number[], values: Float32Array}} Tensor */

/**
 * Return a file's metadata, and its numbers as 32-bit floats.
 * @param {ArrayBuffer} file
 * @returns {{metadata: Record<string, string>, tensors: Map<string, Tensor>}}
 */
export function readTensors(file) {
  const size = Number(new DataView(file).getBigUint64(0, true));
  const { __metadata__: metadata, ...entries } = JSON.parse(
    new TextDecoder().decode(new Uint8Array(file, 8, size)),
  );
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: place }] of Object.entries(entries)) {
    const bytes = file.slice(8 + size + place[0], 8 + size + place[1]);
    const values = dtype === "F16" ? widen(new Uint16Array(bytes)) : new Float32Array(bytes);
    tensors.set(name, { shape, values });
  }
  return { metadata, tensors };
}

/** Half precision -> single, which loses nothing. @param {Uint16Array} halves */
export function widen(halves) {
  return Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    return half & 0x8000 ? -size : size;
  });
}

/** Return what gzip holds; bytes that a host has unpacked already are left as they are. @param {ArrayBuffer} file */
export async function unpack(file) {
  const [first, second] = new Uint8Array(file);
  if (first !== 0x1f || second !== 0x8b) return new Uint8Array(file);
  const stream = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Bytes in base64. @param {Uint8Array} bytes */
export function toText(bytes) {
  let letters = "";
  for (let place = 0; place < bytes.length; place += 4096) {
    letters += String.fromCharCode(...bytes.subarray(place, place + 4096));
  }
  return btoa(letters);
}
