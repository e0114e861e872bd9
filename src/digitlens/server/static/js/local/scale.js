// Pictures of floats scaled, blurred, thickened and thinned, with the numbers that OpenCV gives.

/** @typedef {{height: number, width: number, values: Float32Array}} Gray */

/** @param {number} height @param {number} width @returns {Gray} */
export const makeGray = (height, width) => ({
  height,
  width,
  values: new Float32Array(height * width),
});

/** Whole numbers as Python rounds: of two that are equally near, the even one. @param {number} value */
export function roundEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 ? low + 1 : low;
}

/** The part between two corners; what lies outside is paper. @param {Gray} gray @param {number} top @param {number} left @param {number} height @param {number} width */
export function cut({ height: rows, width: columns, values }, top, left, height, width) {
  const result = makeGray(height, width);
  for (let row = Math.max(0, -top); row < height && row + top < rows; row += 1) {
    for (let column = Math.max(0, -left); column < width && column + left < columns; column += 1) {
      result.values[row * width + column] = values[(row + top) * columns + column + left];
    }
  }
  return result;
}

/** @param {Gray} gray @param {number} margin */
export const pad = (gray, margin) =>
  cut(gray, -margin, -margin, gray.height + 2 * margin, gray.width + 2 * margin);

/**
 * Where the ink lies that is above a threshold; null where there is none.
 * @param {Gray} gray @param {number} threshold
 */
export function findBox({ height, width, values }, threshold) {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let row = 0, place = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, place += 1) {
      if (!(values[place] > threshold)) continue;
      if (column < x0) x0 = column;
      if (column >= x1) x1 = column + 1;
      if (row < y0) y0 = row;
      y1 = row + 1;
    }
  }
  return x1 ? { x0, y0, x1, y1 } : null;
}

/** @param {Gray} gray @param {number} threshold */
export function crop(gray, threshold) {
  const box = findBox(gray, threshold);
  return box ? cut(gray, box.y0, box.x0, box.y1 - box.y0, box.x1 - box.x0) : gray;
}

/** Each place of a line as a sum over places of another. @typedef {{place: number, weight: number}[]} Sum */

/**
 * Sum along the rows and then along the columns, kept in single precision as OpenCV does.
 * @param {Gray} gray @param {Sum[]} down one for each row of the result @param {Sum[]} across
 */
function sumBoth(gray, down, across) {
  return sumRows(turn(sumRows(turn(gray), across)), down);
}

/** Rows of the result as sums of whole rows: the loop that a processor is quickest with. @param {Gray} gray @param {Sum[]} sums */
function sumRows({ width, values }, sums) {
  const result = makeGray(sums.length, width);
  const total = new Float32Array(width);
  sums.forEach((sum, row) => {
    total.fill(0);
    for (const { place, weight } of sum) {
      for (let column = 0, from = place * width; column < width; column += 1, from += 1) {
        total[column] += Math.fround(values[from] * weight);
      }
    }
    result.values.set(total, row * width);
  });
  return result;
}

/** Rows become columns. @param {Gray} gray */
function turn({ height, width, values }) {
  const result = makeGray(width, height);
  for (let row = 0, from = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, from += 1) {
      result.values[column * height + row] = values[from];
    }
  }
  return result;
}

/** @param {number} index @param {number} count */
const clamp = (index, count) => Math.min(count - 1, Math.max(0, index));

/** Mirrored at the edge, whose own pixel is not repeated. @param {number} index @param {number} count */
function mirror(index, count) {
  if (count === 1) return 0;
  const period = 2 * (count - 1);
  const place = ((index % period) + period) % period;
  return place < count ? place : period - place;
}

/** Keys' cubic curve with a = -3/4. @param {Gray} gray @param {number} times */
export function enlargeCubic(gray, times) {
  const curve = (/** @type {number} */ count) =>
    Array.from({ length: count * times }, (_, index) => {
      const middle = Math.fround((index + 0.5) / times - 0.5);
      const first = Math.floor(middle);
      const x = Math.fround(middle - first);
      const a = -0.75;
      const far = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
      const near = ((a + 2) * x - (a + 3)) * x * x + 1;
      const next = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
      return [far, near, next, 1 - far - near - next].map((weight, step) => ({
        place: clamp(first - 1 + step, count),
        weight: Math.fround(weight),
      }));
    });
  return sumBoth(gray, curve(gray.height), curve(gray.width));
}

/** @param {Gray} gray @param {number} sigma */
export function blur(gray, sigma) {
  const size = roundEven(sigma * 8 + 1) | 1;
  const reach = (size - 1) / 2;
  const bell = Array.from({ length: size }, (_, index) =>
    Math.exp(-((index - reach) ** 2) / (2 * sigma * sigma)),
  );
  const sum = bell.reduce((total, value) => total + value, 0);
  const weights = (/** @type {number} */ count) =>
    Array.from({ length: count }, (_, index) =>
      bell.map((value, step) => ({
        place: mirror(index + step - reach, count),
        weight: Math.fround(value / sum),
      })),
    );
  return sumBoth(gray, weights(gray.height), weights(gray.width));
}

/** Each pixel of the smaller picture is the mean of what it covers. @param {Gray} gray @param {number} height @param {number} width */
export function shrinkArea(gray, height, width) {
  const cover = (/** @type {number} */ count, /** @type {number} */ target) => {
    const scale = count / target;
    return Array.from({ length: target }, (_, index) => {
      const [start, end] = [index * scale, (index + 1) * scale];
      const size = Math.min(scale, count - start);
      const last = Math.min(Math.floor(end), count - 1);
      const first = Math.min(Math.ceil(start), last);
      const sum = [];
      if (first - start > 1e-3) sum.push({ place: first - 1, weight: Math.fround((first - start) / size) });
      for (let place = first; place < last; place += 1) sum.push({ place, weight: Math.fround(1 / size) });
      if (end - last > 1e-3) {
        sum.push({ place: last, weight: Math.fround(Math.min(end - last, 1, size) / size) });
      }
      return sum;
    });
  };
  return sumBoth(gray, cover(gray.height, height), cover(gray.width, width));
}

/** The pixels within a radius of the middle one, row by row: how far they reach. @param {number} radius */
function diskReach(radius) {
  const exact = Number(radius.toFixed(1));
  const reach = Math.ceil(exact);
  const rows = Array.from({ length: 2 * reach + 1 }, (_, index) => {
    const rest = exact ** 2 + 0.25 - (index - reach) ** 2;
    return rest < 0 ? -1 : Math.floor(Math.sqrt(rest));
  });
  return { reach, rows };
}

/**
 * The largest value within a disk about each pixel. A disk is rows of several widths: for each
 * width the largest along the row is known from the width before.
 * @param {Gray} gray @param {number} radius
 */
export function dilate({ height, width, values }, radius) {
  const { reach, rows } = diskReach(radius);
  const along = values.slice();
  const result = values.slice();
  for (let wide = 0; wide <= reach; wide += 1) {
    for (let place = 0; wide && place < values.length; place += 1) {
      const column = place % width;
      if (column >= wide && values[place - wide] > along[place]) along[place] = values[place - wide];
      if (column + wide < width && values[place + wide] > along[place]) along[place] = values[place + wide];
    }
    rows.forEach((half, index) => {
      const shift = (index - reach) * width;
      if (half !== wide) return;
      for (let place = Math.max(0, -shift); place < Math.min(values.length, values.length - shift); place += 1) {
        if (along[place + shift] > result[place]) result[place] = along[place + shift];
      }
    });
  }
  return { height, width, values: result };
}

/** The smallest value within a disk. @param {Gray} gray @param {number} radius */
export function erode(gray, radius) {
  const negated = (/** @type {Gray} */ item) => ({ ...item, values: item.values.map((value) => -value) });
  return negated(dilate(negated(gray), radius));
}

/** A percentile between two neighbours, in single precision as numpy has it. @param {Float32Array} values @param {number} share of 1 */
export function percentile(values, share) {
  const sorted = values.slice().sort();
  const place = Math.fround((sorted.length - 1) * Math.fround(share));
  const first = Math.floor(place);
  const rest = Math.fround(place - first);
  const [low, high] = [sorted[first], sorted[Math.min(first + 1, sorted.length - 1)]];
  const gap = Math.fround(high - low);
  return Math.fround(rest < 0.5 ? low + Math.fround(gap * rest) : high - Math.fround(gap * Math.fround(1 - rest)));
}
